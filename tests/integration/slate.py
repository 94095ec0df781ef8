"""A clean slate on a shared broker: topics of a test are made here and removed here."""

from collections.abc import Collection
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from tests.integration.waiting import eventually

TIMEOUT_S = 30.0
ATTEMPT_S = 5.0


class Slate:
    """What a test run may create and wipe. Whatever was there when the slate was made is never touched."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._topics_before = frozenset(self._topics())
        self._groups_before = frozenset(self._groups())

    def create(self, name: str, partitions: int = 4, **config: str) -> str:
        """Make a topic and wait until it is led; dots in names of settings are written as underscores."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        self.admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(TIMEOUT_S)
        eventually(lambda: self._led(name) == partitions, TIMEOUT_S, what=f"{partitions} led partitions of {name}")
        return name

    def wipe(self, only: Collection[str] | None = None) -> None:
        """Remove the topics and groups made since (or the topics named by `only`), and wait until they are gone.

        A group whose member was killed stays until its session ends; a member that never leaves is a leak of the
        test before, and a `TimeoutError` says which group it is.
        """
        doomed = (set(only) & set(self._topics())) if only is not None else self._new_topics()
        if doomed:
            for done in self.admin.delete_topics(sorted(doomed), operation_timeout=TIMEOUT_S).values():
                _accept(done, KafkaError.UNKNOWN_TOPIC_OR_PART)
            eventually(lambda: not doomed & set(self._topics()), TIMEOUT_S, what=f"end of topics {sorted(doomed)}")
        if only is None:
            eventually(
                self._no_new_groups, 2 * TIMEOUT_S, 0.2, "end of groups (does a worker of the test before still run?)"
            )

    def _new_topics(self) -> set[str]:
        return set(self._topics()) - self._topics_before

    def _no_new_groups(self) -> bool:
        groups = set(self._groups()) - self._groups_before
        if groups:
            # A client of its own: one that knew the coordinator before the broker was killed may wait for it for ever.
            admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            try:
                for done in admin.delete_consumer_groups(sorted(groups), request_timeout=ATTEMPT_S).values():
                    _accept(
                        done,
                        KafkaError.NON_EMPTY_GROUP,
                        KafkaError.GROUP_ID_NOT_FOUND,
                        KafkaError._TIMED_OUT,
                        within_s=2 * ATTEMPT_S,
                    )
            except TimeoutError:
                return False
        return not set(self._groups()) - self._groups_before

    def _topics(self) -> list[str]:
        return [name for name in self.admin.list_topics(timeout=TIMEOUT_S).topics if not name.startswith("__")]

    def _groups(self) -> list[str]:
        listed = self.admin.list_consumer_groups(request_timeout=TIMEOUT_S).result(TIMEOUT_S)
        return [group.group_id for group in listed.valid if group.group_id != "attune.probe"]

    def _led(self, name: str) -> int:
        topic = self.admin.list_topics(name, timeout=TIMEOUT_S).topics[name]
        return sum(partition.leader >= 0 for partition in topic.partitions.values())


def _accept(done: Future[object], *codes: int, within_s: float = TIMEOUT_S) -> None:
    """Wait for an admin call; an error with one of `codes` is as good as success."""
    try:
        done.result(within_s)
    except KafkaException as error:
        if error.args[0].code() not in codes:
            raise
