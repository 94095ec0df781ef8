"""The in-process system does what workers and learner do; ranks are compared in test_next_item.py."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evaluation.driver import NEVER_MS, Driver
from evaluation.replay_file import read_log
from processors import profile as profiles
from processors.profile import Profile
from schemas.behaviour import Erasure, Event, View
from schemas.catalogue import Item
from schemas.partitioning import partition_of
from tests.evaluation.by_hand import System
from tests.evaluation.small_logs import JOBS, START_MS, Line, random_log, written

NOTHING = "learning--1"


def view(n: int, item_id: str, ts_ms: int, user_id: str = "u") -> View:
    return View(event_id=f"e{n}", user_id=user_id, item_id=item_id, ts_ms=START_MS + ts_ms)


def take(driver: Driver, event: Event, topic: str = "views") -> str:
    return driver.take(topic, event.user_id.encode(), event, event.ts_ms).admission


def without_catalogue(rows: list[Line]) -> list[Line]:
    return [row for row in rows if row["topic"] != "items"]


def test_profiles_and_models_equal_a_loop_written_by_hand(tmp_path: Path) -> None:
    rows = without_catalogue(random_log(11))
    driver, system = Driver(JOBS), System(msgspec.structs.replace(JOBS, min_interval_ms=NEVER_MS))
    log = read_log(written(tmp_path / "log.jsonl", rows))
    for record in log.records:
        at_ms = max(record.at_ms, log.start_ms)
        driver.take(record.topic, record.key, record.value, at_ms)  # type: ignore[arg-type]
        driver.catch_up(at_ms)
    for row in sorted(rows, key=lambda row: row["value"].get("ts_ms", 0)):
        at_ms = max(row["value"].get("ts_ms", 0), log.start_ms)
        system.happen(at_ms, row)
        system.tell(at_ms)
    assert {key.decode(): profiles.encode(one) for key, one in driver.profiles.items()} == {
        key: profiles.encode(one) for key, one in system.profiles.items()
    }
    assert driver.replica.version == system.replica.version != NOTHING


def test_records_get_the_partition_and_offset_of_a_producer() -> None:
    driver = Driver(JOBS)
    taken = [driver.take("views", b"u", view(n, "a", n), START_MS).arrival for n in range(3)]
    taken.append(driver.take("saves", b"u", view(9, "a", 9), START_MS).arrival)
    assert {arrival.partition for arrival in taken} == {partition_of(b"u", 12)}
    assert [arrival.offset for arrival in taken] == [0, 1, 2, 0]


def test_a_repeated_event_id_is_applied_once() -> None:
    driver = Driver(JOBS)
    assert [take(driver, view(1, "a", 1)), take(driver, view(1, "a", 1))] == ["apply", "duplicate"]
    assert driver.profiles[b"u"].totals == {"views": 1}


@pytest.mark.parametrize("delay_ms", [0, 1_000])
def test_rows_reach_the_replica_after_the_delay(delay_ms: int) -> None:
    driver = Driver(JOBS, delay_ms=delay_ms)
    driver.put_item(Item(item_id="a"))
    event = view(0, "a", 0)
    take(driver, event)
    if delay_ms:
        driver.catch_up(event.ts_ms + delay_ms - 1)
        assert driver.replica.version == NOTHING
    driver.catch_up(event.ts_ms + delay_ms)
    assert driver.replica.version == "learning-0"


def test_steps_publish_lists_only_where_they_are_to() -> None:
    for publishes in (False, True):
        driver = Driver(JOBS, publishes=publishes)
        driver.put_item(Item(item_id="a"))
        take(driver, view(0, "b", 0))
        assert list(driver.published) == ([b"u"] if publishes else [])


def test_the_trailing_list_is_published_when_it_is_due() -> None:
    driver = Driver(JOBS, publishes=True)
    driver.put_item(Item(item_id="a"))
    take(driver, view(0, "b", 0))
    take(driver, view(1, "b", 10))
    driver.put_item(Item(item_id="c"))
    partition = driver.partition_of(b"u")
    driver.wake_due(partition, START_MS + 999)
    assert driver.published[b"u"].trigger.topic == "views"
    driver.wake_due(partition, START_MS + 1_000)
    assert driver.published[b"u"].trigger.topic == "wake"


def test_whoever_is_erased_is_forgotten_and_may_come_back() -> None:
    driver = Driver(JOBS)
    take(driver, view(0, "a", 0))
    take(driver, Erasure(event_id="x", user_id="u", ts_ms=START_MS + 5), "erasures")
    assert take(driver, view(1, "a", 3)) == "erased"
    assert take(driver, view(2, "a", 9)) == "apply"
    assert [action.ts_ms for action in driver.profiles[b"u"].actions] == [START_MS + 9]


def test_nothing_is_learned_while_learning_is_off() -> None:
    driver = Driver(JOBS)
    driver.put_item(Item(item_id="a"))
    driver.learns = False
    take(driver, view(0, "a", 0))
    driver.catch_up(1 << 60)
    assert driver.replica.version == NOTHING


def test_whoever_is_let_go_starts_anew() -> None:
    driver = Driver(JOBS)
    take(driver, view(0, "a", 0))
    driver.forget(b"u")
    take(driver, view(1, "a", 1))
    assert driver.profiles[b"u"].totals == {"views": 1}
    assert isinstance(driver.profiles[b"u"], Profile)


def test_a_delay_out_of_range_is_named() -> None:
    with pytest.raises(ValueError, match="delay_ms"):
        Driver(JOBS, delay_ms=-1)
