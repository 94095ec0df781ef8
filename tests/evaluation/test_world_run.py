"""Runs of whole policies: what the runner promises, and what distinguishes one policy from another."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from evaluation.policies.audience import Audience
from evaluation.policies.model_lists import LiveLists
from evaluation.policies.policy import POLICIES
from evaluation.replay_file import Record as Taken
from evaluation.world_records import WorldError
from evaluation.world_run import WorldRun
from evaluation.world_runs import Plan, key_of, run_all, run_one
from processors.randomness import Randomness
from processors.recommend import recommend
from schemas.decode import Invalid, decode
from simulation.world import Record, World, make_world
from streams.settings import read_settings

pytestmark = pytest.mark.slow

PACK = read_settings({}, domain="jobs").pack
USERS, DAYS = 60, 4
END_MS = 1_740_960_000_000 + 3 * 86_400_000


class Watched:
    """A run whose mails and shown lists are noted."""

    def __init__(self, policy: str, seed: int = 1, users: int = USERS, days: int = DAYS) -> None:
        self.world = make_world("jobs", seed, users, days)
        self.mails: list[tuple[int, dict[str, Any]]] = []
        self.shown: list[dict[str, Any]] = []
        self.records: list[Record] = []
        self._watch(self.world)
        self.audience = Audience()
        self.run = WorldRun(self.world, POLICIES[policy](self.world, PACK, self.audience), self.audience, days)
        self.outcomes = self.run.finish()

    def _watch(self, world: World) -> None:
        deliver, advance = world.deliver, world.advance

        def delivered(decision: Record, at_ms: int) -> None:
            self.mails.append((at_ms, decision["value"]))
            deliver(decision, at_ms)

        def advanced(until_ms: int, slate: Any) -> Any:
            def noted(user_id: str, ts_ms: int) -> Record | None:
                found: Record | None = slate(user_id, ts_ms)
                if found is not None:
                    self.shown.append(found["value"])
                return found

            for record in advance(until_ms, noted):
                self.records.append(record)
                yield record

        world.deliver, world.advance = delivered, advanced  # type: ignore[method-assign]


@cache
def watched(policy: str) -> Watched:
    return Watched(policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_runs_mails_within_hours_and_shows_what_is_live(policy: str) -> None:
    done = watched(policy)
    assert done.outcomes["mails"] == len(done.mails) > 0
    assert done.shown
    people = done.audience.people
    for at_ms, digest in done.mails:
        assert 7 <= people[digest["user_id"]].local(at_ms).hour <= 22
        assert 1 <= len(digest["items"]) <= 10
        answer = decode(
            "sends",
            digest["user_id"].encode(),
            b'{"event_id":"e","user_id":"%s","send_id":"%s","ts_ms":1}'
            % (digest["user_id"].encode(), digest["digest_id"].encode()),
        )
        assert not isinstance(answer, Invalid)
    assert len({digest["digest_id"] for _, digest in done.mails}) == len(done.mails)
    per_day = Counter(
        (digest["user_id"], people[digest["user_id"]].local(at_ms).date()) for at_ms, digest in done.mails
    )
    assert max(per_day.values()) == 1
    items = {r["key"]: r["value"] for r in done.world.catalogue() if r["topic"] == "items"}
    items |= {r["key"]: r["value"] for r in done.records if r["topic"] == "items"}
    if policy != "nightly-batch":  # which is as old as its night
        for at_ms, digest in done.mails:
            for item in digest["items"]:
                assert items[item["item_id"]]["posted_ms"] <= at_ms < items[item["item_id"]]["expires_ms"]


def test_at_ten_means_ten_where_people_live() -> None:
    done = watched("saved-search-10h")
    zones = {user: row.row.tz for user, row in done.audience.people.items() if row.row.tz}
    told = [(at_ms, zones[d["user_id"]]) for at_ms, d in done.mails if d["user_id"] in zones]
    assert len(told) > 50
    assert {datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(tz)).hour for at_ms, tz in told} == {10}


def test_fixed_time_differs_from_attune_in_the_hour_and_random_items_in_the_items() -> None:
    attune, fixed, chance = watched("attune"), watched("fixed-time"), watched("random-items")
    assert [at for at, _ in attune.mails] != [at for at, _ in fixed.mails]
    first = {name: run.mails[0][1] for name, run in (("attune", attune), ("chance", chance))}
    assert first["attune"]["user_id"] == first["chance"]["user_id"]
    assert first["attune"]["items"] != first["chance"]["items"]
    # decided by the true list, from which what was mailed and shown in vain gives way: to other items in the two
    assert len(chance.mails) == pytest.approx(len(attune.mails), rel=0.4)


def test_always_send_sends_more_than_the_caps_allow() -> None:
    assert len(watched("always-send").mails) > len(watched("attune").mails)


def test_the_nightly_list_is_one_list_a_day() -> None:
    lists: dict[tuple[str, int], set[tuple[str, ...]]] = {}
    done = watched("nightly-batch")
    for shown in done.shown:
        lists.setdefault((shown["user_id"], shown["ts_ms"] // 86_400_000), set()).add(
            tuple(i["item_id"] for i in shown["items"])
        )
    for at_ms, digest in done.mails:
        lists.setdefault((digest["user_id"], at_ms // 86_400_000), set()).add(
            tuple(i["item_id"] for i in digest["items"])
        )
    assert {len(found) for found in lists.values()} == {1}


def test_the_oracle_knows_better_than_all_others() -> None:
    clicks = {name: watched(name).outcomes["clicks"] for name in POLICIES}
    assert max(clicks, key=lambda name: clicks[name]) == "oracle"


def test_the_same_plan_gives_the_same_outcomes() -> None:
    assert Watched("attune").outcomes == watched("attune").outcomes


@pytest.mark.parametrize("name", ["jobs", "shop"])
def test_rows_that_wait_until_a_list_is_read_change_no_list(name: str) -> None:
    pack = msgspec.structs.replace(read_settings({}, domain=name).pack, models="spine")  # the blend never waits
    eager, lazy = LiveLists(pack, eager=True), LiveLists(pack, eager=False)
    world = make_world(name, 1, 40, 3)
    compared = 0
    for n, record in enumerate([*world.catalogue(), *world.history(), *world.advance(END_MS, lambda user, at: None)]):
        value = record["value"]
        fact: Any = decode(record["topic"], record["key"].encode(), json.dumps(value).encode())
        at_ms = value.get("ts_ms", world.start_ms - 60 * 86_400_000)
        for lists in (eager, lazy):
            lists.take(Taken(at_ms, record["topic"], record["key"].encode(), fact))
        if record["topic"] == "views" and n % 20 == 0:
            compared += 1
            one, two = (lists.mail(value["user_id"], at_ms) for lists in (eager, lazy))
            assert one == two
            driver = lazy.driver
            rng = Randomness(f"{value['user_id']}/{at_ms}")
            told = recommend(driver.profiles[value["user_id"].encode()], at_ms, driver.replica, rng, limit=10)
            assert [(i.item_id, i.score) for i in told] == [(i.item_id, i.score) for i in two]
    assert compared > 20


def test_finished_runs_are_kept_and_torn_lines_run_again(tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "runs.jsonl"
    plans = [Plan("jobs", 20, 1, seed, "listing-10h", PACK) for seed in (1, 2)]
    shown: list[tuple[int, int]] = []
    first = run_all(plans, kept, show=lambda done, all_: shown.append((done, all_)))
    assert shown[-1] == (2_000, 2_000)
    assert len(kept.read_text().splitlines()) == 2
    again = run_all(plans, kept)
    assert again == first
    assert len(kept.read_text().splitlines()) == 2
    lines = kept.read_text().splitlines()
    forged = json.loads(lines[0])
    forged["run"]["outcomes"]["mails"] = 1e9
    kept.write_text(json.dumps(forged) + "\n" + lines[1][:40])
    resumed = run_all(plans, kept)
    assert resumed[0].outcomes["mails"] == 1e9  # taken from the file
    assert resumed[1].outcomes == first[1].outcomes  # run again


def test_a_run_of_other_size_or_pack_is_another_run() -> None:
    plan = Plan("jobs", 20, 1, 1, "attune", PACK)
    other_pack = read_settings({}, domain="shop").pack
    others = [Plan("jobs", 21, 1, 1, "attune", PACK), Plan("jobs", 20, 1, 1, "attune", other_pack)]
    assert len({key_of(plan), *map(key_of, others)}) == 3


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    plans = [Plan("jobs:no-taste", 20, 1, seed, "listing-10h", PACK) for seed in (1, 2)]
    both = run_all(plans, None, processes=2)
    assert [run.outcomes for run in both] == [run_one(plan).outcomes for plan in plans]


def test_a_world_that_yields_nonsense_is_named() -> None:
    world = make_world("jobs", 1, 5, 1)
    world.history = lambda: iter([{"topic": "views", "key": "u", "value": {"event_id": "e"}}])  # type: ignore[method-assign]
    audience = Audience()
    with pytest.raises(WorldError, match=r"bad views record of 'u': \$\.user_id"):
        WorldRun(world, POLICIES["listing-10h"](world, PACK, audience), audience, 1).finish()
