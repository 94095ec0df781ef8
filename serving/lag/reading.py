"""What one look at the broker brings back: plain facts, before any judgement."""

from typing import NamedTuple

import msgspec


class Partition(NamedTuple):
    """A topic's partition; a tuple, so that it is cheap as a key for a hundred thousand rows."""

    topic: str
    partition: int


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """Where a partition's log starts and ends.

    `stable` is the last stable offset: below `end` only while a transaction is open.
    """

    start: int
    end: int
    stable: int


class GroupReading(msgspec.Struct, frozen=True):
    """One group: how many members it has, what they are assigned, and what was committed.

    `members` is None where the broker cannot say (librdkafka's mock).
    """

    members: int | None
    committed: dict[Partition, int]
    assigned: frozenset[Partition] = frozenset()


class LoggedCommit(msgspec.Struct, frozen=True, gc=False):
    """One commit as the broker wrote it to `__consumer_offsets`."""

    group: str
    at: Partition
    offset: int
    ts_ms: int


class Reading(msgspec.Struct, frozen=True):
    """One sample of a cluster.

    `commits` are those written since the reading before, in the order of the log; `log_from_ms` says since when the
    commit log has been read without a gap (None: it cannot be read, commits are then inferred from changed offsets).
    `seeds` are older (time, end offset) pairs of a partition, looked up by timestamp when it is first seen.
    """

    now_ms: int
    bounds: dict[Partition, Bounds]
    groups: dict[str, GroupReading]
    commits: list[LoggedCommit] = []
    log_from_ms: int | None = None
    seeds: dict[Partition, list[tuple[int, int]]] = {}
