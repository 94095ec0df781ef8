"""Asks the cluster what it knows, through the admin client: groups, members, commits, log bounds."""

import concurrent.futures
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec

from serving.lag.client import Quiet, settings
from serving.lag.errors import BrokerUnreachableError, KafkaRefusedError
from serving.lag.reading import Bounds, GroupReading, Partition
from serving.lag.retired import retire

CONNECT_S = 4.0
"""How long the first question may take: a command without a broker is over in less than ten seconds, start included."""
_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_RETRIED = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
_SILENT = {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE}
_PASSING = {
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
}
"""A partition that is being made, moved or removed is left out of one sample."""
_RETRY_PAUSE_S = 0.2
_CHUNK = 5_000
"""Partitions per ListOffsets call: keeps the futures of a large cluster from piling up."""


class _UnsupportedError(Exception):
    """The broker is too simple for the question; it never leaves this file."""


class Broker:
    """The admin side of the collector. Calls are bounded by `timeout_s` and raise BrokerUnreachableError beyond it."""

    def __init__(self, bootstrap: str, client_config: Mapping[str, str] | None = None, timeout_s: float = 6.0) -> None:
        if timeout_s <= 0:
            raise ValueError(f"timeout_s must be positive, got {timeout_s}")
        self._bootstrap = bootstrap
        self._timeout_s = timeout_s
        self._quiet = Quiet()
        self._config = settings(bootstrap, client_config or {}, self._quiet)
        self._admin = _admin(self._config)
        self._failed = False
        self._asked = False
        """Whether anything but metadata was asked of this client."""

    def topics(self) -> tuple[str, dict[str, int]]:
        """The cluster's id and how many partitions each topic has: the first question of every sample.

        Where one went unanswered the client is made anew: an old one may ask a coordinator for ever over the connection
        that it had before the broker was restarted (tests/serving/lag/test_collector.py).
        """
        if self._failed:
            self._quiet.forget()
            self.leave()
            self._admin, self._failed = _admin(self._config), False
        try:
            metadata = self._admin.list_topics(timeout=min(CONNECT_S, self._timeout_s))
        except KafkaException as error:
            raise self._unreachable(error) from None
        self._asked = True  # what follows
        counts = {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}
        return str(metadata.cluster_id), counts

    def leave(self) -> None:
        """Let go of the client although questions may be open."""
        if self._asked:
            retire(self._admin)
            self._asked = False

    def group_ids(self) -> list[str]:
        """Every group the cluster knows, those without members included."""
        listed = self._wait(self._admin.list_consumer_groups(request_timeout=self._timeout_s))
        return sorted(group.group_id for group in listed.valid)

    def groups(self, group_ids: Sequence[str], topics: Mapping[str, int]) -> dict[str, GroupReading]:
        """Members, assignments and committed offsets of those groups that exist.

        librdkafka's mock neither describes groups nor lists a group's offsets unless the partitions are named: there
        every partition of `topics` is asked for, and members are None.
        """
        committed = self._committed(group_ids, None)
        members = self._members(group_ids)
        if members is None:
            every = [TopicPartition(name, number) for name, count in topics.items() for number in range(count)]
            committed = self._committed(group_ids, every)
            return {name: GroupReading(None, offsets) for name, offsets in committed.items() if offsets}
        found = {}
        for group_id in group_ids:
            count, assigned = members.get(group_id, (0, frozenset()))
            if committed[group_id] or count or assigned:
                found[group_id] = GroupReading(count, committed[group_id], assigned)
        return found

    def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
        """Start, end and last stable offset; partitions without a leader are left out."""
        wanted = list(partitions)
        starts = self._offsets(dict.fromkeys(wanted, _EARLIEST))
        stables = self._offsets(dict.fromkeys(wanted, _LATEST), IsolationLevel.READ_COMMITTED)
        ends = self._offsets(dict.fromkeys(wanted, _LATEST))
        return {
            at: Bounds(starts[at], ends[at], min(stables.get(at, ends[at]), ends[at]))
            for at in wanted
            if at in starts and at in ends
        }

    def offsets_at(self, partitions: Iterable[Partition], ts_ms: int) -> dict[Partition, int]:
        """The first offset whose record is not older than `ts_ms`; -1 where there is none."""
        return self._offsets(dict.fromkeys(partitions, OffsetSpec.for_timestamp(ts_ms)))

    def retentions_s(self, topics: Iterable[str]) -> dict[str, float]:
        """How long topics keep records; those that keep them for ever, or will not say, are left out."""
        asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
        found: dict[str, float] = {}
        for resource, future in self._admin.describe_configs(asked, request_timeout=self._timeout_s).items():
            try:
                config = self._wait(future)
            except KafkaException:
                continue  # removed meanwhile, or not ours to read
            kept_ms = float(config["retention.ms"].value)
            if "delete" in config["cleanup.policy"].value and kept_ms >= 0:
                found[resource.name] = kept_ms / 1000
        return found

    def _offsets(
        self, specs: Mapping[Partition, OffsetSpec], isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED
    ) -> dict[Partition, int]:
        found: dict[Partition, int] = {}
        wanted = list(specs)
        for first in range(0, len(wanted), _CHUNK):
            futures = self._admin.list_offsets(
                {TopicPartition(*at): specs[at] for at in wanted[first : first + _CHUNK]},
                isolation_level=isolation,
                request_timeout=self._timeout_s,
            )
            for at, future in futures.items():
                try:
                    found[Partition(at.topic, at.partition)] = self._wait(future).offset
                except KafkaException as error:
                    if error.args[0].code() not in _PASSING:
                        raise KafkaRefusedError(f"offsets of {at.topic}[{at.partition}]: {_text(error)}") from None
        return found

    def _committed(
        self, group_ids: Sequence[str], wanted: list[TopicPartition] | None
    ) -> dict[str, dict[Partition, int]]:
        def ask(group_id: str) -> concurrent.futures.Future[Any]:
            asked = self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group_id, wanted)], request_timeout=self._timeout_s
            )
            return asked[group_id]

        answers = self._all(group_ids, ask)
        return {
            group_id: {
                Partition(tp.topic, tp.partition): tp.offset
                for tp in (answers[group_id].topic_partitions or [] if group_id in answers else [])
                if tp.offset >= 0 and tp.error is None
            }
            for group_id in group_ids
        }

    def _members(self, group_ids: Sequence[str]) -> dict[str, tuple[int, frozenset[Partition]]] | None:
        """Members and assignments by group; None where the broker cannot describe groups."""

        def ask(group_id: str) -> concurrent.futures.Future[Any]:
            return asked[group_id]

        if not group_ids:
            return {}
        asked = self._admin.describe_consumer_groups(list(group_ids), request_timeout=self._timeout_s)
        try:
            answers = self._all(group_ids, ask)
        except _UnsupportedError:
            return None
        return {
            group_id: (
                len(group.members),
                frozenset(
                    Partition(tp.topic, tp.partition)
                    for member in group.members
                    for tp in (member.assignment.topic_partitions if member.assignment else [])
                ),
            )
            for group_id, group in answers.items()
        }

    def _all(self, group_ids: Sequence[str], ask: Callable[[str], concurrent.futures.Future[Any]]) -> dict[str, Any]:
        """Ask for every group at once; a coordinator that is still loading is asked again until the deadline."""
        deadline = time.monotonic() + self._timeout_s
        answers: dict[str, Any] = {}
        pending = {group_id: ask(group_id) for group_id in group_ids}
        while pending:
            again = []
            for group_id, future in pending.items():
                try:
                    answers[group_id] = self._wait(future)
                except KafkaException as error:
                    code = error.args[0].code()
                    if code in _RETRIED and time.monotonic() < deadline:
                        again.append(group_id)
                    elif code == KafkaError._UNSUPPORTED_FEATURE:
                        raise _UnsupportedError from None
                    elif code != KafkaError.GROUP_ID_NOT_FOUND:
                        raise KafkaRefusedError(f"group {group_id}: {_text(error)}") from None
            if again:
                time.sleep(_RETRY_PAUSE_S)
            pending = {group_id: ask(group_id) for group_id in again}
        return answers

    def _wait(self, future: concurrent.futures.Future[Any]) -> Any:
        try:
            return future.result(self._timeout_s + 1)
        except concurrent.futures.TimeoutError:
            self._failed = True
            raise BrokerUnreachableError(
                f"Kafka at {self._bootstrap} did not answer within {self._timeout_s:g} s"
            ) from None
        except KafkaException as error:
            if error.args[0].code() in _SILENT:
                raise self._unreachable(error) from None
            raise

    def _unreachable(self, error: KafkaException) -> BrokerUnreachableError:
        self._failed = True
        self._admin.poll(0)  # hands over the reasons that librdkafka gave meanwhile
        reason = self._quiet.reason() or _text(error)
        return BrokerUnreachableError(f"cannot reach Kafka at {self._bootstrap}: {reason}")


def _text(error: KafkaException) -> str:
    return str(error.args[0].str())


def _admin(config: dict[str, Any]) -> AdminClient:
    try:
        return AdminClient(config)
    except (KafkaException, ValueError) as error:
        reason = _text(error) if isinstance(error, KafkaException) else str(error)
        raise BrokerUnreachableError(f"Kafka client settings refused: {reason}") from None
