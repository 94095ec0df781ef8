"""Experiments keep what they promise: even splits, few false alarms however often one looks, breaks noticed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evaluation.trial import Exposure, Trial
from processors.experiment import HOLDOUT, Experiment, arm_of
from schemas.behaviour import Apply, Click, Unsubscribe

DAY_MS = 86_400_000
HALVES = {"control": 0.5, "treatment": 0.5}


def experiment(name: str = "e", holdout: float = 0.0, **more: int) -> Experiment:
    return Experiment(name=name, arms=HALVES, holdout=holdout, window_ms=DAY_MS, **more)


def lived(trial: Trial, people: int, rates: dict[str, float], leave: dict[str, float], seed: int) -> int:
    """People come one a minute and act within the hour; returns when all windows are over."""
    rng = np.random.default_rng(seed)
    acts, leaves = rng.random(people), rng.random(people)
    for n in range(people):
        user, at = f"p{seed}-{n}", n * 60_000
        arm = arm_of(trial.experiment, user)
        trial.expose(Exposure(user, arm, at))
        if acts[n] < rates.get(arm, 0.0):
            trial.take(Apply(event_id=f"a{n}", user_id=user, item_id="i", ts_ms=at + 1))
        if leaves[n] < leave.get(arm, 0.0):
            trial.take(Unsubscribe(event_id=f"u{n}", user_id=user, ts_ms=at + 2))
    return people * 60_000 + DAY_MS


def test_the_split_is_as_planned_and_two_experiments_are_independent() -> None:
    one, two = experiment("one", 0.05), experiment("two", 0.05)
    pairs = Counter((arm_of(one, f"u{n}"), arm_of(two, f"u{n}")) for n in range(40_000))
    held = sum(count for (arm, _), count in pairs.items() if arm == HOLDOUT)
    assert held == pytest.approx(2_000, abs=170)
    assert held == pairs[HOLDOUT, HOLDOUT]  # the same people in both: the holdout is permanent
    for cell in (
        ("control", "control"),
        ("control", "treatment"),
        ("treatment", "control"),
        ("treatment", "treatment"),
    ):
        assert pairs[cell] == pytest.approx(9_500, abs=340)


def test_arms_never_change_between_versions() -> None:
    arms = [arm_of(experiment("golden", 0.1), f"u{n}") for n in range(12)]
    assert "".join(arm[0] for arm in arms) == GOLDEN


GOLDEN = "cctccccccttc"


@pytest.mark.slow
def test_a_a_raises_a_false_alarm_in_at_most_5_percent_of_200_runs() -> None:
    false = guard = split = 0
    for seed in range(200):
        trial = Trial(experiment(f"aa{seed}"), tightest_at=400)
        end_ms = lived(trial, 800, dict.fromkeys(HALVES, 0.2), dict.fromkeys(HALVES, 0.05), seed)
        status = trial.status(end_ms)  # a winner, once found at any look, stays
        arm = status.arms["treatment"]
        assert arm.comparison is not None
        false += arm.comparison.winner is not None
        guard += arm.guardrail_alarm
        split += status.split_alarm
    assert false <= 10
    assert guard <= 10
    assert split <= 2


@pytest.mark.slow
def test_a_true_difference_and_a_broken_guardrail_are_found() -> None:
    trial = Trial(experiment())
    end_ms = lived(trial, 4_000, {"control": 0.1, "treatment": 0.2}, {"control": 0.01, "treatment": 0.08}, 1)
    found = trial.status(end_ms).arms["treatment"]
    assert found.comparison is not None
    assert found.comparison.winner == "treatment"
    assert found.guardrail_alarm
    assert found.observed == found.exposed


def test_a_broken_split_is_caught() -> None:
    trial = Trial(experiment())
    for n in range(6_000):
        user = f"u{n}"
        if arm_of(trial.experiment, user) == "treatment" and n % 6 == 0:
            continue  # something loses a sixth of one arm
        trial.expose(Exposure(user, arm_of(trial.experiment, user), n))
    assert trial.status(10 * DAY_MS).split_alarm
    assert trial.status(10 * DAY_MS).misassigned == 0


def test_who_is_shown_another_arm_than_theirs_is_noticed() -> None:
    trial = Trial(experiment())
    other = {"control": "treatment", "treatment": "control"}
    trial.expose(Exposure("u1", other[arm_of(trial.experiment, "u1")], 0))
    trial.expose(Exposure("u2", arm_of(trial.experiment, "u2"), 0))
    trial.expose(Exposure("u3", "nonsense", 0))
    assert trial.status(DAY_MS).misassigned == 2


def test_only_the_window_after_the_first_exposure_counts() -> None:
    trial = Trial(experiment(started_ms=100), "clicks")
    arm = arm_of(trial.experiment, "u")

    def click(ts_ms: int) -> Click:
        return Click(event_id=f"c{ts_ms}", user_id="u", send_id="s", ts_ms=ts_ms)

    trial.expose(Exposure("u", arm, 50))  # before the start
    trial.take(click(60))
    trial.expose(Exposure("u", arm, 100))
    trial.take(click(100))
    trial.expose(Exposure("u", arm, 200))  # again: still one person
    trial.take(click(DAY_MS + 99))
    trial.take(click(DAY_MS + 100))  # a day after
    found = trial.status(DAY_MS + 100).arms[arm]
    assert (found.exposed, found.observed, found.mean) == (1, 1, 2.0)


def test_after_the_stop_nobody_comes_in() -> None:
    trial = Trial(experiment(stopped_ms=1_000))
    trial.expose(Exposure("u", arm_of(trial.experiment, "u"), 1_000))
    status = trial.status(2_000)
    assert not status.running
    assert sum(arm.exposed for arm in status.arms.values()) == 0


@pytest.mark.parametrize("arms", [{"a": 1.0}, {"a": 0.5, "b": 0.6}, {"a": 0.0, "b": 1.0}, {"holdout": 0.5, "b": 0.5}])
def test_arms_that_make_no_split_are_refused(arms: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="arms must be"):
        Experiment(name="e", arms=arms)
