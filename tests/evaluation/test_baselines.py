"""The baselines against counting everything anew for every target."""

from __future__ import annotations

import random
from collections import defaultdict
from math import exp2, log2, sqrt

import pytest

from evaluation.baselines import CONTEXT, FADING, NAMES, Baselines, Candidates
from evaluation.cooccurrence import KEPT, CoOccurrence
from evaluation.metrics import rank_in_scores

DAY_MS = 86_400_000
APART = 10_000.0
"""Lifts logarithms above the 0 of items that nobody acted on; counts that agree to nine digits are tied, and within the
day that the log lasts an hour's half-life leaves no smaller difference."""
Event = tuple[str, str, int]


def by_hand(events: list[Event], user: str, target: str, now_ms: int, known: list[str], candidates: str) -> list[float]:
    """Each baseline's rank of the target, from all events before."""
    own = [(item, ts_ms) for who, item, ts_ms in events if who == user]
    left_out = {item for item, _ in own} if candidates == "new" else set()
    left_out |= {item for _, item, _ in events} if candidates == "cold" else set()
    left_out.discard(target)
    eligible = [item for item in known if item not in left_out]

    def rank(scores: dict[str, float]) -> float:
        return rank_in_scores([scores.get(item, 0.0) for item in eligible], eligible.index(target))

    found = []
    for half_life_ms in (None, 7 * DAY_MS, DAY_MS, DAY_MS / 24):
        counts: defaultdict[str, float] = defaultdict(float)
        for _, item, ts_ms in events:
            counts[item] += 1.0 if half_life_ms is None else exp2((ts_ms - now_ms) / half_life_ms)
        found.append(rank({item: APART + round(log2(count), 9) for item, count in counts.items()}))
    found.append(rank({item: float(ts_ms) for item, ts_ms in own}))
    return [*found, rank(covisitation(events, user, now_ms))]


def covisitation(events: list[Event], user: str, now_ms: int) -> dict[str, float]:
    pairs: defaultdict[tuple[str, str], float] = defaultdict(float)
    degree: defaultdict[str, float] = defaultdict(float)
    people: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for who, item, ts_ms in events:
        weight = exp2((ts_ms - now_ms) / (30 * DAY_MS))
        theirs = people[who]
        theirs.pop(item, None)
        for other in list(theirs)[::-1][:CONTEXT]:
            pairs[item, other] += weight
            pairs[other, item] += weight
        degree[item] += weight
        theirs[item] = ts_ms
    scores: defaultdict[str, float] = defaultdict(float)
    mine = list(people[user].items())[::-1][:CONTEXT]
    moments = sorted({ts_ms for _, ts_ms in mine}, reverse=True)
    for context, ts_ms in mine:
        for item in degree:
            if (context, item) in pairs:
                cosine = pairs[context, item] / (sqrt(degree[context] * degree[item]) + 5.0)
                scores[item] += FADING ** moments.index(ts_ms) * cosine
    return dict(scores)


@pytest.mark.parametrize("candidates", ["any", "new", "cold"])
@pytest.mark.parametrize("seed", range(3))
def test_ranks_equal_counting_anew(seed: int, candidates: Candidates) -> None:
    rng = random.Random(seed)
    baselines = Baselines()
    known = [f"i{n}" for n in range(40)]
    for item in known:
        baselines.know(item)
    events: list[Event] = []
    ts_ms = 1_600_000_000_000
    compared = 0
    for _ in range(250):
        ts_ms += rng.choice((0, 60_000, 300_000, 900_000))
        user, item = f"u{rng.randrange(5)}", f"i{min(int(rng.expovariate(0.08)), 39)}"
        seen = any(other == item for _, other, _ in events)
        own = any(who == user and other == item for who, other, _ in events)
        if seen != (candidates == "cold") and not (candidates == "new" and own):
            told = baselines.ranks(user, item, ts_ms, candidates)
            assert told == pytest.approx(by_hand(events, user, item, ts_ms, known, candidates)), (len(events), NAMES)
            compared += 1
        baselines.learn(user, item, ts_ms)
        events.append((user, item, ts_ms))
    assert compared >= 20


def test_retired_items_are_ranked_by_nobody() -> None:
    baselines = Baselines()
    for item in "abc":
        baselines.know(item)
    for item in "aab":
        baselines.learn("v", item, 1_000)
    assert baselines.ranks("u", "b", 2_000, "any")[0] == 2.0
    baselines.retire("a")
    assert baselines.ranks("u", "b", 2_000, "any")[0] == 1.0
    baselines.know("a")
    assert baselines.ranks("u", "b", 2_000, "any")[0] == 2.0


def test_a_visit_is_known_of_its_person_only() -> None:
    baselines = Baselines()
    for item in "ab":
        baselines.know(item)
    baselines.visit("u", "a", 1_000)
    assert baselines.ranks("u", "a", 2_000, "any") == (1.5, 1.5, 1.5, 1.5, 1.0, 1.5)
    baselines.leave("u")
    assert baselines.ranks("u", "a", 2_000, "any")[4] == 1.5


def test_the_landmark_moves_and_the_scores_stay() -> None:
    """A log of thousands of half-lives neither overflows nor forgets what is recent."""
    pairs = CoOccurrence(half_life_ms=1_000.0, shrinkage=5.0)
    for turn in range(40):
        pairs.learn(turn % 3, [(turn + 1) % 3], turn * 100_000)
    fresh = CoOccurrence(half_life_ms=1_000.0, shrinkage=5.0)
    fresh.learn(39 % 3, [40 % 3], 39 * 100_000)
    asked = ([40 % 3], [1.0], 3, 39 * 100_000)
    assert pairs.scores(*asked) == pytest.approx(fresh.scores(*asked), rel=1e-6)


def test_lists_are_bounded() -> None:
    pairs = CoOccurrence(half_life_ms=1e9, shrinkage=5.0)
    for n in range(1, 5_000):
        pairs.learn(n, [0], n)
    assert len(pairs._others[0]) <= 3 * KEPT + 64


@pytest.mark.parametrize("wrong", [{"half_life_ms": 0.0, "shrinkage": 1.0}, {"half_life_ms": 1.0, "shrinkage": 0.0}])
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        CoOccurrence(**wrong)
