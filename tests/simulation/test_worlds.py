import functools

import pytest

from simulation.local_time import DAY_MS
from simulation.world import OUTCOMES, Record, UnknownWorldError, World, make_world
from tests.simulation.market_day import Run, faults, run

pytestmark = pytest.mark.slow

WORLDS = ("jobs", "shop")
PEOPLE_COHORTS = {
    "jobs": {
        "sparse",
        "regular",
        "newcomer",
        "dormant",
        "returning_caregiver",
        "career_changer",
        "traveller",
        "machine_opens",
    },
    "shop": {"sparse", "regular", "newcomer", "dormant", "new_parent", "gift_buyer", "traveller", "machine_opens"},
}


@functools.cache
def cached(name: str, policy: str) -> Run:
    return run(name, policy)


def own_behaviour(records: list[Record]) -> list[Record]:
    """What people do without being led by a slate or a mail."""
    return [r for r in records if r["topic"] in {"views", "searches"} and "origin" not in r["value"] and visit(r)]


def visit(record: Record) -> bool:
    """Whether it belongs to a visit that happens whatever the policy (mails cause other sessions)."""
    return str(record["value"]["session_id"]).startswith("s")


@pytest.mark.parametrize("name", WORLDS)
def test_the_world_speaks_the_protocol(name: str) -> None:
    assert isinstance(make_world(name, seed=1, users=20, days=2), World)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("policy", ["nothing", "newest", "best"])
def test_the_same_seed_and_policy_give_the_same_records(name: str, policy: str) -> None:
    first, second = run(name, policy, users=60, days=5), run(name, policy, users=60, days=5)
    assert first.catalogue == second.catalogue
    assert first.history == second.history
    assert first.live == second.live
    assert first.outcomes == second.outcomes


@pytest.mark.parametrize("name", WORLDS)
def test_another_seed_is_another_world(name: str) -> None:
    assert run(name, "nothing", seed=1, users=60, days=3).live != run(name, "nothing", seed=2, users=60, days=3).live


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("policy", ["newest", "best"])
def test_own_visits_are_the_same_whatever_the_policy(name: str, policy: str) -> None:
    baseline, treated = own_behaviour(cached(name, "nothing").live), own_behaviour(cached(name, policy).live)
    assert len(baseline) > 200
    assert baseline == treated


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("policy", ["nothing", "newest", "best"])
def test_records_are_valid_ordered_unique_and_within_their_time(name: str, policy: str) -> None:
    done = cached(name, policy)
    events = [r for r in done.history + done.live if r["topic"] not in {"items", "users"}]
    assert faults(done.catalogue + done.history + done.live) == []
    times = [r["value"]["ts_ms"] for r in events]
    assert times == sorted(times)
    ids = [r["value"]["event_id"] for r in events]
    assert len(ids) == len(set(ids))
    start, end = done.world.start_ms, done.world.start_ms + 10 * DAY_MS
    assert all(r["value"]["ts_ms"] < start for r in done.history)
    assert all(start <= r["value"]["ts_ms"] < end for r in done.live if r["topic"] != "items")
    assert min(times) >= start - 57 * DAY_MS


@pytest.mark.parametrize("name", WORLDS)
def test_nobody_meets_an_item_that_is_not_yet_there(name: str) -> None:
    done = cached(name, "newest")
    known = {r["key"] for r in done.catalogue if r["topic"] == "items"}
    for record in done.live:
        if record["topic"] == "items":
            known.add(record["key"])
        elif "item_id" in record["value"]:
            assert record["value"]["item_id"] in known


@pytest.mark.parametrize("name", WORLDS)
def test_reactions_point_to_what_led_to_them(name: str) -> None:
    done = cached(name, "best")
    assert done.counts["opens"] > 20
    assert done.counts["clicks"] > 20
    assert done.counts["impressions"] > 20
    for record in done.live:
        value = record["value"]
        if record["topic"] in {"opens", "clicks", "unsubscribes"}:
            assert value["send_id"].startswith(f"d-{value['user_id']}-")
        if record["topic"] == "impressions":
            assert value["rec_id"].startswith(f"r-{value['user_id']}-")
            assert len(value["item_ids"]) == 10
    origins = [r["value"]["origin"] for r in done.live if "origin" in r["value"]]
    assert {o["surface"] for o in origins} == {"site", "email"}
    assert all(("send_id" in o) if o["surface"] == "email" else ("rec_id" in o) for o in origins)
    assert any("origin" in r["value"] for r in done.live if r["topic"] == "applies")


@pytest.mark.parametrize("name", WORLDS)
def test_outcomes_are_the_true_totals_overall_and_per_cohort(name: str) -> None:
    done = cached(name, "best")
    out = done.outcomes
    assert set(OUTCOMES) <= set(out)
    for cohort in PEOPLE_COHORTS[name]:
        assert {f"cohort.{cohort}.{metric}" for metric in OUTCOMES} <= set(out)
        assert out[f"cohort.{cohort}.people"] > 0
    past = ("regular", "newcomer", "dormant", *({"returning_caregiver", "career_changer", "new_parent", "gift_buyer"}))
    assert sum(out.get(f"cohort.{cohort}.people", 0.0) for cohort in past) == out["people"] == 120
    for metric in ("clicks", "apply_starts", "applies", "revenue", "orders"):
        assert out[f"cohort.small_employer.{metric}"] + out[f"cohort.large_employer.{metric}"] == pytest.approx(
            out[metric]
        )
    stages = [r["value"].get("stage") for r in done.live if r["topic"] == "applies"]
    assert out["apply_starts"] == stages.count("start")
    assert out["applies"] == stages.count("complete")
    assert out["views"] == done.counts["views"]
    people_clicks = [r for r in done.live if r["topic"] == "clicks" and r["value"]["user_agent"] != "Mozilla/5.0"]
    assert out["clicks"] == len(people_clicks)
    assert 0.0 <= out["true_fit_of_applies"] <= 1.0
    assert 0.0 <= out["repeat_rate_60d"] <= 1.0
    assert 0.0 < out["days_to_first_apply"] <= 10.0
    assert (out["revenue"] > 0) == (name == "shop")
    assert (out["orders"] > 0) == (name == "shop")


@pytest.mark.parametrize("name", WORLDS)
def test_truth_is_a_probability_and_ranks_the_best_first(name: str) -> None:
    world = cached(name, "nothing").world
    now = world.start_ms + 10 * DAY_MS + 15 * 3_600_000
    for user in world.people.ids[:30]:
        best = world.best_items(user, now, 5)
        chances = [world.truth(user, item, now) for item in best]
        assert chances == sorted(chances, reverse=True)
        assert all(0.0 <= p <= 1.0 for p in (*chances, world.truth(user, None, now)))
    assert world.truth("nobody", None, now) == 0.0
    assert world.truth(world.people.ids[0], "nothing", now) == 0.0


@pytest.mark.parametrize("name", WORLDS)
def test_knowing_tastes_pays(name: str) -> None:
    newest, best = cached(name, "newest").outcomes, cached(name, "best").outcomes
    assert best["clicks"] > 2 * newest["clicks"]
    assert best["apply_starts"] > newest["apply_starts"]


def test_an_unknown_name_says_which_exist() -> None:
    with pytest.raises(UnknownWorldError, match="no-rhythm"):
        make_world("jobs:nonsense", 1, 10, 1)
    with pytest.raises(UnknownWorldError, match="module:Class"):
        make_world("nonsense", 1, 10, 1)
    with pytest.raises(UnknownWorldError, match="nowhere"):
        make_world("nowhere.at_all:World", 1, 10, 1)


def test_anyones_world_is_found_by_module_and_class() -> None:
    assert make_world("simulation.jobs:JobsWorld", seed=1, users=20, days=2).start_ms > 0
