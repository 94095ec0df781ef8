"""Places drawn by chance: propensities against counted draws, caps, the floor, and what never changes."""

from collections import Counter

import msgspec
import numpy as np
import pytest
from scipy import stats

from processors.actions import SAVE, VIEW
from processors.exploration import Lottery, explored_places, is_little_known, lottery_of
from processors.pack import Pack
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import ranked, recommend
from processors.replica import Replica
from processors.slate import Slate
from processors.taste import taste_of
from tests.processors.market import NOW_MS, PACK, job, person, replica

NURSE = person((0, VIEW), (6, VIEW), (12, SAVE))
DRAWS = 100_000


def pack(**fields: object) -> Pack:
    return msgspec.structs.replace(PACK, **{"explore": 2, "explore_new": 0.3, "diversity": 0.25} | fields)


def market(**fields: object) -> Replica:
    made = replica(240, pack(**fields))
    for k in range(300, 320):
        made.put_item(job(k, posted_ms=NOW_MS - 1_000))
    return made


def lottery(made: Replica, profile: Profile, places: int) -> Lottery:
    taste = taste_of(profile, NOW_MS, made)
    ranking = ranked(profile, taste, NOW_MS, made)
    slate = Slate(made.pack, made, 10 - places, taste.own_rows)
    slate.fill(ranking)
    found = lottery_of(slate, ranking, places, NOW_MS, made)
    assert found is not None
    return found


@pytest.mark.parametrize(("places", "max_per_brand"), [(1, 3), (2, 1)])
def test_propensities_are_the_frequencies_of_draws(places: int, max_per_brand: int) -> None:
    chances = lottery(market(max_per_brand=max_per_brand), NURSE, places)
    assert len(chances.propensities) == places
    rng = np.random.default_rng(5)
    drawn = [chances.draw(rng) for _ in range(DRAWS)]
    for place, expected in enumerate(chances.propensities):
        assert expected.sum() == pytest.approx(1.0, abs=1e-12)
        counts = np.bincount([indices[place] for indices in drawn], minlength=len(expected))
        often = expected * DRAWS >= 5.0
        observed = np.append(counts[often], counts[~often].sum())
        wanted = np.append(expected[often], expected[~often].sum()) * DRAWS
        kept = wanted > 0.0
        assert observed[~kept].sum() == 0
        assert stats.chisquare(observed[kept], wanted[kept]).pvalue > 1e-4


def test_a_wrong_propensity_is_noticed_by_that_count() -> None:
    chances = lottery(replica(14, pack(max_per_brand=10)), NURSE, 2)
    rng = np.random.default_rng(5)
    second = np.bincount([chances.draw(rng)[1] for _ in range(DRAWS)], minlength=len(chances.positions))
    assert stats.chisquare(second, chances.propensities[1] * DRAWS).pvalue > 1e-4
    assert stats.chisquare(second, chances.first * DRAWS).pvalue < 1e-12  # as though the first draw removed nothing


def test_lists_say_the_propensity_that_they_were_drawn_with() -> None:
    made = market()
    counts: Counter[tuple[int, str]] = Counter()
    said: dict[tuple[int, str], float] = {}
    rounds = 1_500
    for k in range(rounds):
        items = recommend(NURSE, NOW_MS, made, Randomness(f"r{k}"), explained=False)
        assert [item.rank for item in items] == list(range(1, 11))
        for item in items:
            counts[item.rank, item.item_id] += 1
            assert said.setdefault((item.rank, item.item_id), item.propensity) == item.propensity
    fixed = {place for place, propensity in said.items() if propensity == 1.0}
    assert {rank for rank, _ in fixed} == {1, 2, 3, 4, 6, 7, 8, 9}
    assert all(counts[place] == rounds for place in fixed)
    for rank in (5, 10):
        drawn = [place for place in said if place[0] == rank]
        assert len(drawn) > 40
        for place in drawn:
            error = (said[place] * (1 - said[place]) / rounds) ** 0.5
            assert abs(counts[place] / rounds - said[place]) < 5 * error + 1e-9


def test_caps_and_filters_hold_for_what_is_drawn() -> None:
    made = market(max_per_brand=1, max_seen=1)
    for k in range(10):
        made.put_item(job(400 + k, title="Night nurse icu", brand="One", posted_ms=NOW_MS - 1_000))
    viewed = person(*[(k, VIEW) for k in range(0, 60, 2)])
    for k in range(100):
        items = recommend(viewed, NOW_MS, made, Randomness(f"r{k}"), explained=False)
        rows = [made.catalogue.row_of(item.item_id) or 0 for item in items]
        brands = made.catalogue.brand[rows].tolist()
        twins = [twin for twin in made.catalogue.twin[rows].tolist() if twin]
        assert len(items) == 10
        assert len(set(brands)) == 10
        assert len(set(twins)) == len(twins)
        assert sum(row in taste_of(viewed, NOW_MS, made).own_rows for row in rows) <= 1


def test_new_and_little_known_items_have_a_floor() -> None:
    made = market(explore=1)
    chances = lottery(made, NURSE, 1)
    unknown = is_little_known(chances.ranking.candidates.rows[chances.positions], NOW_MS, made)
    assert 0 < unknown.sum() < len(unknown)
    assert chances.first[unknown].sum() >= 0.3
    assert chances.first[unknown].min() >= 0.3 / unknown.sum() - 1e-12
    without = lottery(market(explore=1, explore_new=0.0), NURSE, 1)
    assert len(without.positions) == 50


def test_the_same_event_gives_the_same_list_and_another_may_not() -> None:
    made = market()
    one, again = (recommend(NURSE, NOW_MS, made, Randomness("views-0-7")) for _ in range(2))
    assert one == again
    others = {recommend(NURSE, NOW_MS, made, Randomness(f"views-0-{k}"), explained=False) for k in range(20)}
    assert len(others) > 10


def test_without_chance_or_choice_every_propensity_is_one() -> None:
    made = market()
    assert all(item.propensity == 1.0 for item in recommend(NURSE, NOW_MS, made))
    few = replica(9, pack(max_per_brand=10))
    items = recommend(Profile(), NOW_MS, few, Randomness("e"))
    assert len(items) == 9
    assert all(item.propensity == 1.0 for item in items)
    short = recommend(NURSE, NOW_MS, made, Randomness("e"), limit=3)
    assert [item.propensity for item in short] == [1.0] * 3


def test_explored_places() -> None:
    assert [explored_places(size, 1) for size in (3, 4, 10, 20)] == [(), (3,), (9,), (19,)]
    assert explored_places(20, 5) == (9, 19)


def test_diversity_spreads_words_and_keeps_the_best_first() -> None:
    plain, spread = (replica(96, msgspec.structs.replace(PACK, diversity=share)) for share in (0.0, 0.8))
    lists = [recommend(NURSE, NOW_MS, made) for made in (plain, spread)]
    assert lists[0][0] == lists[1][0]
    likeness = []
    for made, items in zip((plain, spread), lists, strict=True):
        rows = np.array([made.catalogue.row_of(item.item_id) for item in items])
        likeness.append(made.text.alike_within(rows).mean())
    assert likeness[1] < likeness[0]


def test_likeness_is_that_of_shared_words() -> None:
    made = replica(14)
    rows = np.array([made.catalogue.row_of(f"j{k}") for k in (0, 6, 7)])
    likeness = made.text.alike_within(rows)
    assert np.allclose(np.diag(likeness), 1.0)
    assert np.allclose(likeness, likeness.T)
    assert likeness[0, 1] > 0.3 > likeness[0, 2]


@pytest.mark.parametrize(("max_per_brand", "max_seen"), [(1, 1), (9, 1), (9, 9), (1, 9)])
@pytest.mark.parametrize("reposts", [True, False])
def test_what_is_open_is_what_no_rule_refuses(max_per_brand: int, max_seen: int, reposts: bool) -> None:
    made = market(max_per_brand=max_per_brand, max_seen=max_seen)
    if not reposts:
        made.catalogue.twin[:] = 0
    taste = taste_of(NURSE, NOW_MS, made)
    ranking = ranked(NURSE, taste, NOW_MS, made)
    for limit in (0, 3, 8):
        slate = Slate(made.pack, made, limit, taste.own_rows)
        slate.fill(ranking)
        rows = ranking.candidates.rows
        assert slate.open_to(rows).tolist() == [slate.refusal(row) is None for row in rows.tolist()]
