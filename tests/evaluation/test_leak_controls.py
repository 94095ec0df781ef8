"""Negative controls: the leak tests of test_next_item.py notice a harness that looks ahead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation import next_item, timeline
from evaluation.replay_file import Record, ReplayLog
from tests.evaluation import test_next_item as tests
from tests.evaluation.small_logs import random_log


def test_a_catalogue_known_from_the_start_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def early(log: ReplayLog, whole_catalogue: bool = False) -> Iterator[timeline.Row | timeline.Step]:
        return timeline.timeline(log, whole_catalogue=True)

    monkeypatch.setattr(next_item, "timeline", early)
    with pytest.raises(AssertionError):
        tests.test_items_that_nobody_ever_acts_on_and_nobody_posted_do_not_exist(tmp_path, "new")


def test_learning_before_judging_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole log is learned at the first step: permuting the future then changes the past."""
    run = next_item._Run
    judge_one = run._judge

    def omniscient(self: next_item._Run, step: timeline.Step, record: Record, place: int) -> None:
        if place == 0:
            for later in self._log.records:
                if later.topic not in ("items", "users"):
                    self._driver.take(later.topic, later.key, later.value, later.at_ms)  # type: ignore[arg-type]
        judge_one(self, step, record, place)

    monkeypatch.setattr(run, "_judge", omniscient)
    with pytest.raises(AssertionError):
        tests.test_permuting_the_future_changes_no_past_score(tmp_path, "any", slate=False)


def test_the_order_of_data_entry_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_shuffle", lambda record: 0)
    with pytest.raises(AssertionError):
        tests.test_the_order_of_lines_inside_a_step_says_nothing(tmp_path)


def test_the_controls_start_from_a_log_that_passes(tmp_path: Path) -> None:
    assert tests.run(tmp_path, random_log(4)).rank
    tests.test_the_order_of_lines_inside_a_step_says_nothing(tmp_path)
