"""Reading replay files: what is usable, in the order of time."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.replay_file import ReplayFileError, ReplayLog, read_log
from schemas.behaviour import Event
from tests.evaluation.small_logs import START_MS, items, random_log, view, written


def event_ids(log: ReplayLog) -> list[str]:
    return [record.value.event_id for record in log.records if isinstance(record.value, Event)]


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_events_come_in_the_order_of_time(tmp_path: Path, name: str) -> None:
    rows = [*items("a"), view(0, "u", "a", 20), view(1, "u", "a", 10), view(2, "v", "a", 20)]
    log = read_log(written(tmp_path / name, rows))
    assert event_ids(log) == ["e1", "e0", "e2"]
    assert (log.events, list(log.catalogue), log.start_ms) == (3, ["a"], START_MS + 10)


def test_unusable_lines_are_named_and_left_out(tmp_path: Path) -> None:
    rows = [view(0, "u", "a", 1), {**view(1, "u", "a", 2), "key": "v"}, {**view(2, "u", "a", 3), "topic": "vies"}]
    path = written(tmp_path / "log.jsonl", rows)
    path.write_bytes(path.read_bytes() + b"\n{broken\n")
    log = read_log(path)
    assert log.events == 1
    assert [(one.line, one.reason.split(":")[0].split(" ")[0]) for one in log.rejected] == [
        (2, "key"),
        (3, "'vies'"),
        (5, "JSON"),
    ]


def test_a_file_without_events_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(ReplayFileError, match=r"no events, the first refused: line 2: key"):
        read_log(written(tmp_path / "log.jsonl", [*items("a"), {**view(1, "u", "a", 2), "key": "v"}]))


def test_limit_counts_events_and_keeps_what_stands_before(tmp_path: Path) -> None:
    path = written(tmp_path / "log.jsonl", random_log(1))
    whole, part = read_log(path), read_log(path, 20)
    assert part.events == 20
    assert part.catalogue == whole.catalogue
    assert part.records == whole.records[: len(part.records)]
    assert event_ids(part) == event_ids(whole)[:20]


def test_catalogue_rows_keep_their_place_after_the_first_event(tmp_path: Path) -> None:
    rows = [*items("a", title="old"), *items("a", title="new"), view(0, "u", "a", 5), *items("a", title="later")]
    log = read_log(written(tmp_path / "log.jsonl", rows))
    assert log.catalogue["a"].title == "new"
    assert [(record.topic, record.at_ms - START_MS) for record in log.records] == [("views", 5), ("items", 5)]


def test_an_item_retired_before_the_first_event_never_was(tmp_path: Path) -> None:
    rows = [*items("a", "b"), {"topic": "items", "key": "a", "value": None}, view(0, "u", "b", 5)]
    assert list(read_log(written(tmp_path / "log.jsonl", rows)).catalogue) == ["b"]
