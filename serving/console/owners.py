"""Who owns which partitions: members of the groups, asked for every ten seconds in a thread of their own."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from serving.lag.retired import retire

EVERY_S: Final = 10.0
ASK_S: Final = 5.0


class Owner(Struct, frozen=True):
    """One member of one group."""

    group: str
    member: str
    host: str
    partitions: str


class Owners:
    """The last answer; an empty one where Kafka does not say. `groups` names those to ask for."""

    def __init__(self, bootstrap: str, client_config: Mapping[str, str], groups: Callable[[], Sequence[str]]) -> None:
        self._config: dict[str, Any] = {"log_level": 0, **client_config, "bootstrap.servers": bootstrap}
        self._groups = groups
        self._admin: AdminClient | None = None
        self.found: tuple[Owner, ...] = ()

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set."""
        while not stop.is_set():
            groups = list(self._groups())
            self.found = tuple(self._ask(groups)) if groups else ()
            stop.wait(EVERY_S if groups else 1.0)

    def _ask(self, groups: list[str]) -> list[Owner]:
        """A client that went unanswered is not asked again: it may wait for ever for a broker that was restarted."""
        if self._admin is None:
            self._admin = AdminClient(self._config)
        try:
            self._admin.list_topics(timeout=ASK_S)
        except KafkaException:
            return []
        try:
            return _members(self._admin, groups)
        except (KafkaException, TimeoutError):
            retire(self._admin)
            self._admin = None
            return []


def _members(admin: AdminClient, groups: list[str]) -> list[Owner]:
    found = []
    for group, answer in admin.describe_consumer_groups(groups, request_timeout=ASK_S).items():
        try:
            described = answer.result(ASK_S + 1)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                continue
            raise
        for member in described.members:
            places = member.assignment.topic_partitions if member.assignment else []
            found.append(Owner(group, member.client_id, member.host, shown([(p.topic, p.partition) for p in places])))
    return sorted(found, key=lambda owner: (owner.group, owner.member))


def shown(places: Sequence[tuple[str, int]]) -> str:
    """Partitions in words; topics that share them are counted.

    >>> shown([("views", 0), ("views", 1), ("saves", 0), ("saves", 1), ("items", 3)])
    '0, 1 of 2 topics; 3 of items'
    """
    by_topic: dict[str, list[int]] = {}
    for topic, partition in sorted(places):
        by_topic.setdefault(topic, []).append(partition)
    alike: dict[tuple[int, ...], list[str]] = {}
    for topic, numbers in by_topic.items():
        alike.setdefault(tuple(numbers), []).append(topic)
    parts = [
        f"{', '.join(map(str, numbers))} of {topics[0] if len(topics) == 1 else f'{len(topics)} topics'}"
        for numbers, topics in sorted(alike.items(), key=lambda entry: -len(entry[1]))
    ]
    return "; ".join(parts) or "none"
