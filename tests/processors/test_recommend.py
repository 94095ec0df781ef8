"""Lists: against scoring everything, filters, caps, reasons, what a save changes, determinism."""

import copy
import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from processors.actions import APPLY, SAVE, VIEW
from processors.identity import hash64
from processors.pack import Pack
from processors.profile import Profile, encode
from processors.ranking import rank
from processors.recommend import recommend
from processors.replica import Replica
from processors.retrieval import TEXT_DEEDS, everything, retrieve
from processors.taste import taste_of
from schemas.catalogue import Location, Salary
from schemas.decisions import RecommendedItem
from tests.processors.list_law import CHANGES, holds_only_what_may_be_shown
from tests.processors.market import DAY_MS, NOW_MS, PACK, job, lessons, person, replica, taught

NURSE = person((0, VIEW), (6, VIEW), (12, VIEW))


def ids(items: tuple[RecommendedItem, ...]) -> list[str]:
    return [item.item_id for item in items]


def changed(**fields: object) -> Pack:
    return msgspec.structs.replace(PACK, **fields)


def listed(made: Replica, profile: Profile, item_id: str, now_ms: int = NOW_MS) -> bool:
    """Whether an item can be in a list at all: asked for as many as there are."""
    return item_id in ids(recommend(profile, now_ms, made, limit=1_000))


# ---------------------------------------------------------------- shape


def test_a_list_is_full_ranked_and_explained() -> None:
    items = recommend(NURSE, NOW_MS, replica())
    assert len(items) == PACK.list_size
    assert [item.rank for item in items] == list(range(1, 11))
    assert [item.score for item in items] == sorted((item.score for item in items), reverse=True)
    assert len(set(ids(items))) == 10
    assert all(item.reasons and item.source and math.isfinite(item.score) for item in items)
    assert all(item.propensity == 1.0 for item in items)


def test_the_limit_holds() -> None:
    assert len(recommend(NURSE, NOW_MS, replica(), limit=3)) == 3


def scored_by_hand(profile: Profile, made: Replica) -> list[str]:
    """All items in the order of the blend, every similarity summed in loops; no retrieval."""
    taste = taste_of(profile, NOW_MS, made)
    every = everything(taste, NOW_MS, made)
    count = made.catalogue.rows
    covisitation, text, titles = np.zeros(count), np.zeros(count), np.zeros(count)
    for k, (number, row_of_deed, weight) in enumerate(
        zip(taste.numbers, taste.rows, taste.weights.tolist(), strict=True)
    ):
        _, others, similarities = made.covisitation.neighbours([number], NOW_MS)
        for other, similarity in zip(others, similarities, strict=True):
            covisitation[made.rows_of(np.array([other]))[0]] += weight * similarity
        if k < TEXT_DEEDS:
            for row, similarity in zip(*made.text.neighbours(row_of_deed), strict=True):
                text[row] += weight * similarity
    for title in taste.titles:
        for row, similarity in zip(*made.text.search(title), strict=True):
            titles[row] = max(titles[row], similarity)
    rows = every.rows
    known = msgspec.structs.replace(every, covisitation=covisitation[rows], text=text[rows], titles=titles[rows])
    ranking = rank(known, taste, NOW_MS, made)
    return [made.catalogue.item_id(int(row)) for row in rows[ranking.order]]


def test_lists_are_those_of_scoring_every_item() -> None:
    made = replica(60, changed(max_seen=50, max_per_brand=50))
    for profile in (NURSE, person((1, SAVE), (7, VIEW)), person(), person((2, VIEW), stated={"titles": ["welder"]})):
        assert ids(recommend(profile, NOW_MS, made)) == scored_by_hand(profile, made)[:10]


def test_covisitation_of_candidates_is_the_sum_by_hand() -> None:
    made = replica(30)
    taste = taste_of(NURSE, NOW_MS, made)
    candidates = retrieve(taste, NOW_MS, made)
    view, numbers = made.covisitation, made.shelves.numbers
    for position, row in enumerate(candidates.rows.tolist()):
        expected = 0.0
        for number, weight in zip(taste.numbers, taste.weights.tolist(), strict=True):
            _, others, similarities = view.neighbours([number], NOW_MS)
            expected += weight * sum(similarities[others == numbers[row]])
        assert candidates.covisitation[position] == pytest.approx(expected, rel=1e-12)


def test_features_lie_between_0_and_1() -> None:
    made = replica()
    for profile in (NURSE, person(), person((3, SAVE), stated={"titles": ["welder"], "places": ["Austin"]})):
        taste = taste_of(profile, NOW_MS, made)
        matrix = rank(retrieve(taste, NOW_MS, made), taste, NOW_MS, made).matrix
        assert matrix.min() >= 0.0
        assert matrix.max() <= 1.0


# ---------------------------------------------------------------- never empty


def test_without_models_and_history_there_is_a_list() -> None:
    made = replica(given=[])
    assert len(recommend(Profile(), NOW_MS, made)) == 10


def test_an_empty_catalogue_gives_an_empty_list() -> None:
    assert recommend(NURSE, NOW_MS, Replica(PACK)) == ()
    assert recommend(Profile(), NOW_MS, replica(0, given=lessons(20))) == ()


def test_whoever_applied_for_all_that_is_popular_still_gets_what_is_left() -> None:
    made = replica(400, changed(max_per_brand=400))
    profile = person(applied_items=[hash64(f"j{k}") for k in range(395)])
    assert sorted(ids(recommend(profile, NOW_MS, made))) == [f"j{k}" for k in range(395, 400)]


# ---------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("out", "stays"),
    [
        ({"expires_ms": NOW_MS}, {"expires_ms": NOW_MS + 1}),
        ({"posted_ms": NOW_MS + 1}, {"posted_ms": NOW_MS}),
        ({"available": False}, {"available": True}),
    ],
)
def test_expired_unposted_and_unavailable_items_are_out(out: dict[str, object], stays: dict[str, object]) -> None:
    made = replica()
    for fields, expected in ((out, False), (stays, True)):
        made.put_item(job(6, **fields))
        assert listed(made, person(), "j6") is expected


def test_retired_items_are_out_until_they_return() -> None:
    made = replica()
    made.retire_item("j6")
    assert not listed(made, person(), "j6")
    made.put_item(job(6))
    assert listed(made, person(), "j6")


def test_dismissed_items_are_out_until_that_is_taken_back() -> None:
    made = replica()
    assert not listed(made, person(dismissed={"j6": (NOW_MS, "pay")}), "j6")
    assert listed(made, person(dismissed={"j6": (NOW_MS, None)}), "j6")


def test_applied_items_are_out_where_the_pack_says_so() -> None:
    hashed = person(applied_items=[hash64("j6")])
    acted = person((6, APPLY))
    exclude, allow = replica(), replica(pack=changed(applied="allow"))
    for profile in (hashed, acted):
        assert not listed(exclude, profile, "j6")
        assert listed(allow, profile, "j6")


def test_salary_below_the_floor_is_out_only_where_it_is_stated() -> None:
    poor = person(stated={"min_salary": 50_000})
    made = replica()
    for salary, expected in (
        (Salary(max=49_999.0), False),
        (Salary(min=24.0, period="hour"), False),
        (Salary(max=25.0, period="hour"), True),
        (Salary(max=50_000.0), True),
        (None, True),
    ):
        made.put_item(job(6, salary=salary))
        assert listed(made, poor, "j6") is expected
    unveto = replica(pack=changed(salary_veto=False))
    unveto.put_item(job(6, salary=Salary(max=1.0)))
    assert listed(unveto, poor, "j6")


@pytest.mark.parametrize(
    ("location", "remote", "expected"),
    [
        (Location(city="Austin", region="TX"), None, True),
        (Location(city="Dallas", region="TX"), None, False),
        (Location(city="Dallas", region="TX"), True, True),
        (Location(region="TX"), None, True),
        (Location(region="MA"), None, False),
        (Location(country="US"), None, True),
        (None, None, True),
    ],
)
def test_places_beyond_the_stated_ones_are_out(location: Location | None, remote: bool | None, expected: bool) -> None:
    made = replica()
    made.put_item(job(6, location=location, remote=remote))
    for places in (["Austin"], ["austin, TX"], ["Nowhere", "Austin"]):
        assert listed(made, person(stated={"places": places}), "j6") is expected


def test_unknown_places_speak_against_nothing() -> None:
    assert len(recommend(person(stated={"places": ["Atlantis"]}), NOW_MS, replica())) == 10


def test_remote_only_leaves_out_what_says_it_is_not() -> None:
    made = replica()
    for remote, expected in ((False, False), (True, True), (None, True)):
        made.put_item(job(6, remote=remote))
        assert listed(made, person(stated={"remote": True}), "j6") is expected
        assert listed(made, person(stated={"remote": False}), "j6")


def test_old_items_are_out_where_the_pack_has_a_limit() -> None:
    made = replica(pack=changed(max_age_d=2.0))
    for age_d, expected in ((1.9, True), (2.1, False)):
        made.put_item(job(6, posted_ms=NOW_MS - int(age_d * DAY_MS)))
        assert listed(made, person(), "j6") is expected


# ---------------------------------------------------------------- caps


def test_seen_items_and_brands_are_capped() -> None:
    viewed = person(*[(k, VIEW) for k in range(0, 60, 2)])
    for max_seen, max_per_brand in itertools.product((0, 2, 50), (1, 3)):
        items = ids(recommend(viewed, NOW_MS, replica(pack=changed(max_seen=max_seen, max_per_brand=max_per_brand))))
        numbers = [int(item_id[1:]) for item_id in items]
        assert sum(number % 2 == 0 for number in numbers) <= max_seen
        brands = [number % 17 for number in numbers]
        assert max(brands.count(brand) for brand in brands) <= max_per_brand


def test_reposts_are_collapsed() -> None:
    made = replica(pack=changed(max_per_brand=50))
    for k in range(100, 108):
        made.put_item(job(0, item_id=f"j{k}", title="Night  NURSE, icu!"))
    made.put_item(job(0, item_id="j200", title="Night nurse ICU", brand="Another employer"))
    items = ids(recommend(NURSE, NOW_MS, made, limit=60))
    assert sum(int(item_id[1:]) in range(100, 108) for item_id in items) == 1
    assert "j200" in items


# ---------------------------------------------------------------- what a person does


def test_a_save_changes_the_list_and_is_named() -> None:
    made = replica()
    for before in (person(*[(k, VIEW) for k in (0, 6, 12, 18, 24)]), person(*[(k, VIEW) for k in range(0, 12, 2)])):
        first = recommend(before, NOW_MS, made)
        after = copy.deepcopy(before)
        after.actions.append(person((7, SAVE)).actions[0])
        second = recommend(after, NOW_MS, made)
        new = [item for item in second if item.item_id not in ids(first)]
        assert len(new) >= 3
        named = [item for item in new if any("Welder Shipyard 7" in reason for reason in item.reasons)]
        assert len(named) >= 3
        assert "Welder" in made.catalogue.title(made.catalogue.row_of(new[0].item_id) or 0)


def test_the_reason_of_similarity_names_the_deed() -> None:
    made = replica()
    items = recommend(person((7, SAVE)), NOW_MS, made)
    main = [item for item in items if item.source in {"covisitation", "text"}]
    assert main
    for item in main:
        assert item.reasons[0] in {
            "because you saved “Welder Shipyard 7”",
            "similar to “Welder Shipyard 7” that you saved",
        }


def test_stated_titles_are_matched_and_named() -> None:
    items = recommend(person(stated={"titles": ("welder",)}), NOW_MS, replica())
    assert any("matches “welder”, which you asked for" in item.reasons for item in items[:3])


def test_where_and_when_are_reasons() -> None:
    made = replica(pack=changed(scores=msgspec.structs.replace(PACK.scores, location=5.0, freshness=5.0)))
    near = person(stated={"location": {"lat": 30.27, "lon": -97.84, "city": "Austin", "region": "TX", "country": "US"}})
    made.put_item(job(6, posted_ms=NOW_MS - 1, location=Location(lat=30.27, lon=-97.74)))
    first = recommend(near, NOW_MS, made)[0]
    assert "10 km away" in first.reasons
    seeker = person(stated={"location": {"city": "Boston", "region": "MA"}})
    assert all("in Boston" in item.reasons for item in recommend(seeker, NOW_MS, made)[:3])
    fresh = recommend(person(), NOW_MS, made)
    assert any("new today" in item.reasons for item in fresh)
    assert any("popular now" in item.reasons for item in recommend(person(), NOW_MS, replica()))


def test_brands_and_categories_a_person_likes_are_reasons() -> None:
    made = replica(pack=changed(scores=msgspec.structs.replace(PACK.scores, affinity=9.0)))
    fan = Profile(affinities={"category": {"pastry": (1.0, -math.inf)}})
    assert recommend(fan, NOW_MS, made)[0].reasons[0] == "more in pastry"
    fan = Profile(affinities={"brand": {"Employer 3": (1.0, -math.inf)}})
    assert recommend(fan, NOW_MS, made)[0].reasons[0] == "from Employer 3, which you looked at before"


# ---------------------------------------------------------------- determinism


def test_a_list_is_the_same_however_often_and_whenever_others_were_asked_for() -> None:
    fresh, used = replica(), replica()
    for i in range(200):
        recommend(person((i % 60, VIEW), ((i * 7) % 60, SAVE)), NOW_MS - i * DAY_MS // 7, used)
    for profile in (NURSE, person((3, SAVE)), person()):
        for now_ms in (NOW_MS, NOW_MS + 29 * DAY_MS, NOW_MS - 5 * DAY_MS, NOW_MS):
            assert recommend(profile, now_ms, used) == recommend(profile, now_ms, copy.deepcopy(fresh))


def test_the_profile_is_only_read() -> None:
    made = replica()
    before = encode(NURSE)
    recommend(NURSE, NOW_MS, made)
    assert encode(NURSE) == before


@settings(max_examples=40, deadline=None)
@given(CHANGES)
def test_whatever_happens_lists_hold_only_what_may_be_shown_and_reading_changes_nothing(
    drawn: list[tuple[str, int]],
) -> None:
    holds_only_what_may_be_shown(drawn, PACK, taught_rows)


def taught_rows(seed: int) -> dict[bytes, bytes]:
    return taught(PACK, lessons(10, 36, seed=1)[: seed % 10 + 1]).dirty_rows()
