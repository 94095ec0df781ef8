"""A table read back from a real changelog: whole partitions, and no others."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer

from processors.profile import Profile, decode, encode
from streams.changelog import Changelog
from streams.profile_table import ProfileTable
from streams.settings import Settings

PARTITIONS = 2


def profile(views: int, generation: int = 1) -> bytes:
    return encode(Profile(applied={"views": views}, generation=generation))


class Log:
    """A changelog, written to as a worker does."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.settings = Settings(bootstrap=bootstrap)
        self.topic = topic
        self.producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})

    def write(self, partition: int, rows: dict[str, bytes | None]) -> None:
        for key, value in rows.items():
            self.producer.produce(self.topic, value, key, partition=partition)
        assert self.producer.flush(30) == 0

    def reader(self) -> tuple[Changelog, ProfileTable]:
        table = ProfileTable()
        return Changelog(self.settings, self.topic, "test-changelog", table), table


@pytest.fixture
def log(bootstrap: str, new_topic: Callable[..., str]) -> Log:
    made = Log(bootstrap, new_topic(partitions=PARTITIONS))
    for partition in range(PARTITIONS):
        made.write(partition, {f"u{partition}-{n}": profile(n) for n in range(3)})
    return made


def always() -> bool:
    return True


def keys(table: ProfileTable) -> list[str]:
    return sorted(key.decode() for key in table.rows)


BOTH = frozenset({0, 1})


async def test_it_reads_the_partitions_it_is_given_and_no_others(log: Log) -> None:
    changelog, table = log.reader()
    assert await changelog.recover(frozenset({1}), always)
    assert keys(table) == ["u1-0", "u1-1", "u1-2"]
    assert set(table.partition_of.values()) == {1}
    assert (changelog.reached, changelog.remaining, changelog.records) == ({1: 3}, 0, 3)


async def test_a_partition_that_went_and_came_back_is_read_from_its_beginning(log: Log) -> None:
    """Where rows went and the offset they were read to stayed, nobody knew those people any more."""
    changelog, table = log.reader()
    assert await changelog.recover(BOTH, always)
    assert await changelog.recover(frozenset({1}), always)
    assert keys(table) == ["u1-0", "u1-1", "u1-2"]
    log.write(0, {"u0-3": profile(3)})
    assert await changelog.recover(BOTH, always)
    assert keys(table) == [f"u{p}-{n}" for p in BOTH for n in range(4 - p)]


async def test_a_kept_partition_is_read_from_where_it_was_read_to(log: Log) -> None:
    changelog, table = log.reader()
    await changelog.recover(BOTH, always)
    log.write(0, {"u0-0": profile(7)})
    await changelog.recover(BOTH, always)
    assert decode(table.rows[b"u0-0"]).applied == {"views": 7}
    assert changelog.records == 7


async def test_what_this_process_wrote_itself_is_not_read_again(log: Log) -> None:
    changelog, _ = log.reader()
    await changelog.recover(BOTH, always)
    log.write(0, {"u0-0": profile(7), "u0-1": profile(8)})
    changelog.advance(0, 3, 4)
    await changelog.recover(BOTH, always)
    assert changelog.records == 6


async def test_what_another_wrote_in_between_is_read(log: Log) -> None:
    changelog, table = log.reader()
    await changelog.recover(BOTH, always)
    log.write(0, {"u0-9": profile(9)})  # the other
    log.write(0, {"u0-0": profile(7)})
    changelog.advance(0, 4, 4)
    await changelog.recover(BOTH, always)
    assert b"u0-9" in table.rows


async def test_where_the_assignment_ends_reading_ends_and_the_next_goes_on(log: Log) -> None:
    changelog, table = log.reader()
    assert not await changelog.recover(BOTH, lambda: False)
    assert table.rows == {}
    looks = iter([True, True, True])
    await changelog.recover(BOTH, lambda: next(looks, False))
    assert await changelog.recover(BOTH, always)
    assert len(table.rows) == 6


async def test_nothing_assigned_is_nothing_held(log: Log) -> None:
    changelog, table = log.reader()
    await changelog.recover(BOTH, always)
    assert await changelog.recover(frozenset(), always)
    assert (table.rows, table.partition_of, changelog.reached) == ({}, {}, {})


async def test_a_null_and_a_late_owner_are_seen(log: Log) -> None:
    log.write(0, {"u0-0": None, "u0-2": profile(1, generation=0)})
    changelog, table = log.reader()
    await changelog.recover(BOTH, always)
    assert b"u0-0" not in table.rows
    assert decode(table.rows[b"u0-2"]).applied == {"views": 2}
    assert list(table.overwritten) == [b"u0-2"]


class StoppedError(Exception):
    pass


async def test_a_changelog_that_is_not_there_or_shrank_stops_the_process(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(why: str, *code: Any) -> None:
        raise StoppedError(why)

    monkeypatch.setattr("streams.changelog.stop_process", stop)
    changelog, _ = log.reader()
    changelog.reached = {0: 99}
    with pytest.raises(StoppedError, match="-0 ends at 3, but was read up to 99"):
        await changelog.recover(BOTH, always)
    gone = Changelog(log.settings, "there-is-none", "test-changelog", ProfileTable())
    with pytest.raises(StoppedError, match="there-is-none cannot be read"):
        await gone.recover(BOTH, always)
