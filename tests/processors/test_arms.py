"""What an arm changes, what it must not, and what decisions bear."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from processors.arms import SHARED, Arms, arm_in
from processors.effects import Arrival, Effect, Mailing, Planned, Recommend, Wake
from processors.experiment import HOLDOUT, Experiment, arm_of
from processors.pack import Pack
from processors.pipeline import Rules, step, wake
from processors.profile import Profile
from processors.randomness import Randomness
from processors.replica import Replica
from schemas.behaviour import View
from schemas.catalogue import Item, User
from schemas.decisions import Recommendation

JOBS = Pack(name="jobs", min_interval_ms=0)
HALVES = {"control": 0.5, "short": 0.5}


def experiment(name: str = "size", **more: Any) -> Experiment:
    return Experiment(name=name, arms=HALVES, packs={"short": {"list_size": 3}}, **more)


def decided(user_id: str, ts_ms: int, arms: Arms | None) -> Recommendation:
    replica = Replica(JOBS)
    for n in range(20):
        replica.put_item(Item(item_id=f"i{n}", title=f"Nurse {n}", brand=f"b{n}"))
    view = View(event_id="e", user_id=user_id, item_id="i1", ts_ms=ts_ms)
    arrival = Arrival(view, "views", 0, 0, ts_ms)
    effects = step(Profile(), arrival, ts_ms, replica, Randomness(arrival.source_id), Rules(arms=arms))
    return next(effect.recommendation for effect in effects if isinstance(effect, Recommend))


def test_every_decision_bears_the_arm_of_its_person_and_the_arm_its_pack() -> None:
    running = experiment(holdout=0.2)
    arms, seen = Arms(JOBS, [running]), set()
    for n in range(40):
        found = decided(f"u{n}", 1_000, arms)
        arm = arm_of(running, f"u{n}")
        assert found.arm == f"size:{arm}"
        assert len(found.items) == (3 if arm == "short" else JOBS.list_size)
        seen.add(arm)
    assert seen == {"control", "short", HOLDOUT}


def test_plans_mails_and_refusals_bear_arms_and_follow_their_rules() -> None:
    choosy = {"short": {"mail": {"min_new_items": 50, "explored": 0.0}}}
    running = Experiment(name="volume", arms=HALVES, packs=choosy, holdout=0.1)
    rules, replica = Rules(arms=Arms(JOBS, [running])), Replica(JOBS)
    for n in range(40):
        replica.put_item(Item(item_id=f"i{n}", title=f"Nurse {n}", brand=f"b{n}"))
    seen: Counter[tuple[str, str]] = Counter()
    for n in range(60):
        user_id, profile, ts_ms = f"u{n}", Profile(), 1_740_960_000_000
        events = (
            User(user_id=user_id, tz="UTC", ts_ms=ts_ms),
            View(event_id="v", user_id=user_id, item_id="i1", ts_ms=ts_ms),
        )
        effects: list[Effect] = []
        for offset, event in enumerate(events):
            arrival = Arrival(event, "users" if isinstance(event, User) else "views", 0, offset, ts_ms)
            effects += step(profile, arrival, ts_ms, replica, Randomness(arrival.source_id), rules)
        for _ in range(4):
            due = next((e for e in reversed(effects) if isinstance(e, Wake) and e.kind == "mail"), None)
            if due is not None:
                effects += wake(profile, user_id, due, replica, Randomness(f"{n}"), rules)
        arm = arm_of(running, user_id)
        for effect in effects:
            if isinstance(effect, Planned):
                assert effect.decision.arm == f"volume:{arm}"
                seen["planned" if effect.decision.send_at_ms else "refused", arm] += 1
            elif isinstance(effect, Mailing):
                assert effect.digest.arm == f"volume:{arm}"
                seen["mailed", arm] += 1
    assert {kind for kind, _ in seen} >= {"planned", "refused"}
    assert seen["mailed", "short"] == 0 < seen["mailed", "control"]  # no list holds fifty new items
    assert {arm for _, arm in seen} == {"control", "short", HOLDOUT}


def test_nobody_bears_an_arm_before_the_start_after_the_stop_or_without_experiments() -> None:
    arms = Arms(JOBS, [experiment(started_ms=1_000, stopped_ms=2_000)])
    assert [decided("u1", ts_ms, arms).arm is None for ts_ms in (999, 1_000, 1_999, 2_000)] == [
        True,
        False,
        False,
        True,
    ]
    assert len(decided("u3", 2_000, arms).items) == JOBS.list_size
    assert decided("u1", 1_000, None) == decided("u1", 1_000, Arms(JOBS, []))


def test_two_experiments_at_once_are_told_apart_and_both_switch() -> None:
    other = Experiment(name="age", arms={"control": 0.5, "new": 0.5}, packs={"new": {"max_age_d": 5.0}}, holdout=0.0)
    one = experiment(holdout=0.0)
    arms = Arms(JOBS, [one, other])
    for n in range(20):
        side = arms.side(f"u{n}", 0)
        assert side.arm is not None
        assert side.arm == f"age:{arm_of(other, f'u{n}')} size:{arm_of(one, f'u{n}')}"
        assert (arm_in(side.arm, one), arm_in(side.arm, other)) == (arm_of(one, f"u{n}"), arm_of(other, f"u{n}"))
        assert side.pack.max_age_d == (5.0 if arm_of(other, f"u{n}") == "new" else None)
        assert side.pack.list_size == (3 if arm_of(one, f"u{n}") == "short" else JOBS.list_size)


def test_of_nested_fields_only_those_named_change() -> None:
    found = Arms(JOBS, [Experiment(name="t", arms={"a": 0.5, "b": 0.5}, packs={"b": {"scores": {"text": 9.0}}})])
    packs = [found.side(f"u{n}", 0).pack for n in range(20)]
    assert {pack.scores.text for pack in packs} == {9.0, JOBS.scores.text}
    assert {pack.scores.location for pack in packs} == {JOBS.scores.location}


@pytest.mark.parametrize(
    ("packs", "says"),
    [
        ({"short": {"lisst_size": 3}}, "lisst_size is no field"),
        ({"short": {"list_size": 0}}, "list_size"),
        ({"short": {"models": "blend"}}, "models is the same for everybody"),
        ({"short": {"scores": {"txt": 1.0}}}, "txt"),
    ],
)
def test_what_an_arm_cannot_have_is_named(packs: dict[str, dict[str, Any]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Arms(JOBS, [Experiment(name="size", arms=HALVES, packs=packs)])


def test_contradictions_between_experiments_are_refused() -> None:
    with pytest.raises(ValueError, match="both switch list_size"):
        Arms(JOBS, [experiment("one"), experiment("two")])
    Arms(JOBS, [experiment("one", stopped_ms=5), experiment("two", started_ms=5)])
    with pytest.raises(ValueError, match="two experiments are named 'one'"):
        Arms(JOBS, [experiment("one", stopped_ms=5), experiment("one", started_ms=5)])
    with pytest.raises(ValueError, match="packs names the arm 'nobody'"):
        Experiment(name="x", arms=HALVES, packs={"nobody": {}})
    with pytest.raises(ValueError, match="stopped_ms"):
        Experiment(name="x", arms=HALVES, started_ms=5, stopped_ms=4)


def test_what_is_shared_are_fields_of_the_pack() -> None:
    assert set(Pack.__struct_fields__) > SHARED
