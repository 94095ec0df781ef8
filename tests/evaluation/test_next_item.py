"""Protocol P1 against an oracle that rebuilds the world for every target, and against leaks from the future."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.baselines import Candidates
from evaluation.judged import Judged
from evaluation.next_item import NextItem, judge
from evaluation.replay_file import read_log
from evaluation.timeline import Row, Step, timeline
from processors.pack import Pack
from schemas.behaviour import Event
from schemas.catalogue import Item
from tests.evaluation.by_hand import judged_by_hand
from tests.evaluation.small_logs import HOUR_MS, JOBS, SHOP, START_MS, Line, items, random_log, view, written

pytestmark = pytest.mark.slow

CANDIDATES = ("any", "new", "cold")


def run(tmp_path: Path, rows: list[Line], pack: Pack = JOBS, **options: Any) -> Judged:
    return judge(read_log(written(tmp_path / "log.jsonl", rows)), pack, NextItem(**{"warmup": 0.0, **options}))


def scores(judged: Judged) -> dict[int, float]:
    return dict(zip(judged.event, judged.rank, strict=True))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("candidates", CANDIDATES)
@pytest.mark.parametrize(("steps", "delay_ms"), [("basket", 0), ("strict", 0), ("basket", 5 * HOUR_MS)])
def test_every_rank_is_that_of_a_world_rebuilt_from_the_past(
    tmp_path: Path, seed: int, candidates: str, steps: str, delay_ms: int
) -> None:
    rows = random_log(seed)
    pack = (JOBS, SHOP)[seed % 2]
    judged = run(tmp_path, rows, pack, candidates=candidates, steps=steps, replica_delay_ms=delay_ms)
    expected = judged_by_hand(rows, pack, candidates, steps, delay_ms)
    assert len(expected) >= 8
    assert list(scores(judged).items()) == expected


def permuted_after(rows: list[Line], cut_ms: int, seed: int) -> list[Line]:
    """The same log up to a time; after it, all events have other people and items."""
    rng = random.Random(seed)
    later = [row for row in rows if row["value"] and row["value"].get("ts_ms", 0) >= cut_ms]
    people, things = [row["key"] for row in later], [row["value"].get("item_id") for row in later]
    rng.shuffle(people)
    things = [thing for thing in things if thing]
    rng.shuffle(things)
    changed = []
    for row in rows:
        if row in later:
            value = {**row["value"], "user_id": people[0]}
            if "item_id" in value:
                value["item_id"] = things.pop()
            row = {**row, "key": people.pop(0), "value": value}  # noqa: PLW2901
        changed.append(row)
    return changed


@pytest.mark.parametrize("candidates", CANDIDATES)
@pytest.mark.parametrize("slate", [False, True])
def test_permuting_the_future_changes_no_past_score(tmp_path: Path, candidates: str, slate: bool) -> None:
    rows = random_log(3)
    options: dict[str, Any] = {"candidates": candidates, "slate": slate}
    before = run(tmp_path, rows, **options)
    events = [row for row in rows if row["topic"] not in ("items", "users")]
    for place in (30, 50, 70):
        cut_ms = events[place]["value"]["ts_ms"]
        kept = sum(row["value"]["ts_ms"] < cut_ms for row in events)
        after = run(tmp_path, permuted_after(rows, cut_ms, place), **options)
        past = {event: rank for event, rank in scores(before).items() if event < kept}
        assert past == {event: rank for event, rank in scores(after).items() if event < kept}
        assert after.baselines[: len(past) * 6] == before.baselines[: len(past) * 6]
        assert len(past) >= 3


@pytest.mark.parametrize("candidates", CANDIDATES)
def test_hiding_whether_an_item_is_ever_viewed_changes_nothing(tmp_path: Path, candidates: Candidates) -> None:
    """With the future cut off, nobody can tell which items of the catalogue would have been viewed."""
    rows = random_log(4)
    before = run(tmp_path, rows, candidates=candidates)
    events = [row for row in rows if row["topic"] not in ("items", "users")]
    for place in (25, 60):
        limit = sum(row["value"]["ts_ms"] < events[place]["value"]["ts_ms"] for row in events)
        log = read_log(written(tmp_path / "log.jsonl", rows), limit)
        after = judge(log, JOBS, NextItem(candidates=candidates, warmup=0.0))
        assert scores(after) == {event: rank for event, rank in scores(before).items() if event < limit}


@pytest.mark.parametrize("candidates", ["any", "new"])
def test_items_that_nobody_ever_acts_on_and_nobody_posted_do_not_exist(tmp_path: Path, candidates: str) -> None:
    rows = random_log(4)
    before = run(tmp_path, rows, candidates=candidates)
    after = run(tmp_path, [*items(*(f"never{n}" for n in range(40)), title="nurse"), *rows], candidates=candidates)
    assert scores(before) == scores(after)
    assert before.baselines == after.baselines


@pytest.mark.parametrize("candidates", CANDIDATES)
def test_the_order_of_the_catalogue_in_the_file_says_nothing(tmp_path: Path, candidates: str) -> None:
    rows = random_log(5)
    count = sum(row["topic"] == "items" and row["value"] is not None for row in rows)
    shuffled = rows[:count]
    random.Random(0).shuffle(shuffled)
    assert scores(run(tmp_path, rows, candidates=candidates)) == scores(
        run(tmp_path, [*shuffled, *rows[count:]], candidates=candidates)
    )


def test_the_order_of_lines_inside_a_step_says_nothing(tmp_path: Path) -> None:
    rows = random_log(6)
    flipped = sorted(rows, key=lambda row: (row["value"] or {}).get("ts_ms", -1) if row["topic"] != "items" else -2)
    stable = [row for row in flipped if row["topic"] != "items"]
    blocks: dict[Any, list[Line]] = {}
    for row in stable:
        blocks.setdefault((row["value"].get("ts_ms"), row["key"]), []).append(row)
    turned = [row for block in blocks.values() for row in reversed(block)]
    catalogue = [row for row in rows if row["topic"] == "items" and row["value"] is not None]
    assert max(map(len, blocks.values())) > 2
    assert scores(run(tmp_path, [*catalogue, *stable])) == scores(run(tmp_path, [*catalogue, *turned]))


def test_a_step_is_shuffled_by_a_salted_hash(tmp_path: Path) -> None:
    """As filed, one neighbour of an alphabetical file would predict the next; the order must be nobody's."""
    ids = [f"p{n:03}" for n in range(40)]
    log = read_log(written(tmp_path / "log.jsonl", [view(n, "u", item_id, 7) for n, item_id in enumerate(ids)]))
    (step,) = [entry for entry in timeline(log) if isinstance(entry, Step)]
    told = [record.value.item_id for record in step.records]  # type: ignore[union-attr]
    assert sorted(told) == ids
    assert told != ids
    assert abs(np.corrcoef(range(40), [ids.index(item_id) for item_id in told])[0, 1]) < 0.4


def test_basket_knows_earlier_lines_and_strict_does_not(tmp_path: Path) -> None:
    rows = [view(0, "v", "a", 0), view(1, "v", "b", 1), view(2, "u", "a", 10), view(3, "u", "b", 10)]
    basket = run(tmp_path, [*items("a", "b"), *rows], steps="basket")
    strict = run(tmp_path, [*items("a", "b"), *rows], steps="strict")
    assert list(basket.event) == [3]  # v's b was never seen before; u's second line has an earlier event
    assert not len(strict)
    assert (basket.never_seen, strict.never_seen) == (1, 1)


def test_new_leaves_own_items_out_of_list_and_targets(tmp_path: Path) -> None:
    rows = [view(n, "v", item_id, n) for n, item_id in enumerate("abc")]
    rows += [view(3, "u", "a", 10), view(4, "u", "a", 11), view(5, "u", "b", 12)]
    judged = run(tmp_path, [*items("a", "b", "c"), *rows], candidates="new")
    assert list(judged.event) == [5]
    assert judged.rank[0] <= 2.0  # of b and c
    assert judged.baseline_ranks["own_recency"].tolist() == [1.5]
    assert list(run(tmp_path, [*items("a", "b", "c"), *rows], candidates="any").event) == [4, 5]


def test_cold_ranks_never_viewed_targets_among_their_like(tmp_path: Path) -> None:
    rows = [view(0, "u", "a", 0), view(1, "u", "b", 1), view(2, "u", "a", 2), view(3, "u", "c", 3)]
    judged = run(tmp_path, [*items("a", "b", "c", "d", title="nurse"), *rows], candidates="cold")
    assert list(judged.event) == [1, 3]
    assert judged.baseline_ranks["popularity_all"].tolist() == [2.0, 1.5]  # of b, c, d; of c, d
    assert all(rank <= 3.0 for rank in judged.rank)
    assert judged.never_seen == 2


def test_items_appear_when_posted_or_with_their_first_event(tmp_path: Path) -> None:
    rows = [*items("a"), *items("b", posted_ms=START_MS + 5), view(0, "u", "a", 0), view(1, "u", "a", 10)]
    log = read_log(written(tmp_path / "log.jsonl", rows))
    told = [
        entry.record.value.item_id if isinstance(entry, Row) and isinstance(entry.record.value, Item) else "step"
        for entry in timeline(log)
    ]
    assert told == ["step", "b", "step"]
    whole = [entry.record.value for entry in timeline(log, whole_catalogue=True) if isinstance(entry, Row)]
    assert {value.item_id for value in whole if isinstance(value, Item)} == {"a", "b"}


def test_taking_a_save_back_is_no_target(tmp_path: Path) -> None:
    undone = view(2, "u", "a", 2)
    undone["topic"], undone["value"]["undo"] = "saves", True
    judged = run(tmp_path, [*items("a"), view(0, "u", "a", 0), view(1, "u", "a", 1), undone])
    assert list(judged.event) == [1]
    assert judged.events == 3


def test_the_warm_up_is_learned_and_not_scored(tmp_path: Path) -> None:
    rows = random_log(7)
    whole = run(tmp_path, rows)
    later = run(tmp_path, rows, warmup=0.5)
    assert scores(later) == {event: rank for event, rank in scores(whole).items() if event >= 45}


def test_a_far_delay_keeps_the_models_out_of_the_lists(tmp_path: Path) -> None:
    rows = random_log(8)
    now, never = run(tmp_path, rows), run(tmp_path, rows, replica_delay_ms=10**12)
    assert scores(now) != scores(never)
    assert now.baselines == never.baselines


def test_the_slate_is_what_would_have_been_published(tmp_path: Path) -> None:
    """At the pack's length, and within the minimum interval the older list still stands."""
    rows = [view(n, "v", f"i{n}", n) for n in range(15)] + [view(20, "u", "i3", 100), view(21, "u", "i4", 5_000)]
    catalogue = items(*(f"i{n}" for n in range(15)))
    judged = run(tmp_path, [*catalogue, *rows], SHOP, slate=True, warmup=0.9)
    assert list(judged.event) == [16]
    assert math.isinf(judged.rank[0]) or judged.rank[0] <= SHOP.list_size


def test_people_and_absences_are_kept_apart(tmp_path: Path) -> None:
    judged = run(tmp_path, random_log(9))
    assert set(judged.segments) <= {"", "s0", "s1"}
    assert len(judged.segments) == 3
    assert min(judged.earlier) >= 1
    assert min(judged.absence_ms) >= 0


@pytest.mark.parametrize("wrong", [{"warmup": 1.0}, {"warmup": -0.1}])
def test_options_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="warmup"):
        NextItem(**wrong)  # type: ignore[arg-type]


def test_on_a_real_log(data_dir: Path) -> None:
    log = read_log(data_dir / "jobs.jsonl.gz", 2_000)
    judged = judge(log, JOBS, NextItem())
    assert judged.events == 2_000
    assert sum(isinstance(record.value, Event) for record in log.records) == 2_000
    assert 300 < len(judged) < 1_000
    assert float(np.mean(judged.ranks <= 20)) > 0.5
