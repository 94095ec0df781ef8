"""What the learned blend looks at, against the same by hand."""

import math
from collections import defaultdict

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.actions import SAVE, UNSAVE, VIEW
from processors.blend_features import COLUMN, OWN, person_of
from processors.blend_ranking import rank_blend
from processors.context import context_of
from processors.gazetteer import locate
from processors.nearby import Nearby
from processors.replica import Replica
from processors.taste import taste_of
from processors.text_vectors import HASHES, TextVectors
from processors.words import words
from schemas.catalogue import Item, Location
from schemas.learning import Lesson
from tests.processors import market
from tests.processors.market import NOW_MS, job, person

PACK = msgspec.structs.replace(market.PACK, models="blend", history_items=20)
NURSE = person((0, VIEW), (6, VIEW), (12, SAVE), (0, VIEW))


def replica(jobs: int = 60, given_lessons: list[Lesson] | None = None) -> Replica:
    return market.replica(jobs, PACK, given_lessons)


def test_text_is_the_cosine_by_hand() -> None:
    vectors = TextVectors()
    items = [job(k) for k in range(40)]
    for row, item in enumerate(items, 1):
        vectors.put(row, job(59))
        vectors.put(row, item)
    vectors.put(41, job(7))
    vectors.remove(41)
    texts = [words(f"{item.title}  {item.brand} {item.categories[0]}") for item in items]
    df: dict[str, int] = defaultdict(int)
    for text in texts:
        for word in text:
            df[word] += 1

    def vector(k: int) -> dict[str, float]:
        made = {word: math.log((len(items) + 1) / (df[word] + 0.5)) for word in texts[k]}
        length = math.sqrt(sum(value**2 for value in made.values()))
        return {word: value / length for word, value in made.items()}

    deeds, attention = [4, 10, 4], [0.5, 0.3, 0.2]
    person_vector: dict[str, float] = defaultdict(float)
    for deed, share in zip(deeds, attention, strict=True):
        for word, value in vector(deed).items():
            person_vector[word] += share * value
    length = math.sqrt(sum(value**2 for value in person_vector.values()))
    rows = np.arange(1, 41)
    for _ in range(2):
        text, last = vectors.cosines(rows, np.array(deeds) + 1, np.array(attention))
        for k in range(40):
            expected = sum(person_vector[word] * value for word, value in vector(k).items()) / length
            assert text[k] == pytest.approx(expected, abs=1e-4)
            assert last[k] == pytest.approx(
                sum(vector(4).get(word, 0.0) * value for word, value in vector(k).items()), abs=1e-4
            )
    assert HASHES == 65_536


def test_own_items_have_features_of_their_own_and_no_others() -> None:
    made = replica()
    ranking = rank_blend(NURSE, taste_of(NURSE, NOW_MS, made), NOW_MS, made)
    rows = ranking.candidates.rows.tolist()
    own = [made.catalogue.row_of(f"j{k}") or 0 for k in (0, 6, 12)]
    assert set(own) <= set(rows)
    for position, row in enumerate(rows):
        column = ranking.matrix[:, position]
        assert (not column[:OWN].any()) if row in own else (not column[OWN:].any())
    first = ranking.matrix[:, rows.index(own[0])]
    assert first[COLUMN["own_last"]] == 1.0
    assert first[COLUMN["own_steps"]] == 0.0
    assert first[COLUMN["own_count"]] == pytest.approx(math.log(2))
    assert first[COLUMN["own_age"]] == pytest.approx(math.log(1.02))
    assert ranking.matrix[COLUMN["own_steps"], rows.index(own[1])] == pytest.approx(math.log(3))


def test_popularity_is_relative_to_the_base() -> None:
    made = replica()
    ranking = rank_blend(person(), taste_of(person(), NOW_MS, made), NOW_MS, made)
    levels = made.popularity.levels[made.shelves.numbers[ranking.candidates.rows]]
    shares = np.exp2(levels - made.total_levels).T
    base = 0.5 * shares[2] + 0.4 * shares[4] + 0.1 / 60
    assert ranking.matrix[COLUMN["level"]] == pytest.approx(np.log(base) + 7.0)
    assert ranking.matrix[COLUMN["hour"]] == pytest.approx(np.log((shares[0] + 0.1 * base) / base))
    every = np.exp2(made.popularity.levels[1:61, 4] - made.total_levels[4])
    assert every.sum() == pytest.approx(1.0)


def test_a_save_that_was_taken_back_is_no_context() -> None:
    made = replica()
    took_back = person((0, VIEW), (6, SAVE), (6, UNSAVE))
    assert context_of(took_back, NOW_MS, made).rows.tolist() == [made.catalogue.row_of("j0")]


def test_distance_is_to_the_latest_places_and_to_the_stated_first() -> None:
    made = replica()
    stated = person((0, VIEW), stated={"location": {"lat": 42.36, "lon": -71.06}})
    found = rank_blend(stated, taste_of(stated, NOW_MS, made), NOW_MS, made)
    boston = made.catalogue.lat[found.candidates.rows] > 40
    others = found.matrix[OWN] == 0.0
    assert found.matrix[COLUMN["distance_last"], boston & others] == pytest.approx(-math.log(5.0))
    assert person_of(context_of(stated, NOW_MS, made), (42.36, -71.06), made).places[0] == (42.36, -71.06)


def test_cities_without_coordinates_are_located() -> None:
    boston = locate("Boston", "MA", "US")
    assert boston == pytest.approx((42.36, -71.06), abs=0.05)
    assert locate("boston", "MA", None) == boston
    texas = locate("No Such Town", "TX", "US")
    assert texas is not None
    assert 28 < texas[0] < 34
    assert locate("köln", None, "DE") == pytest.approx((50.9, 6.95), abs=0.2)
    assert locate(None, None, "US") is None
    assert locate("No Such Town", "No Such State", "US") is None
    made = replica()
    made.put_item(Item(item_id="x", title="Nurse", location=Location(city="Boston", region="MA")))
    assert made.catalogue.lat[made.catalogue.row_of("x") or 0] == pytest.approx(42.36, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.floats(-90, 90), st.floats(-180, 180), st.booleans()), max_size=30))
def test_nearby_finds_what_is_within_half_a_degree(drawn: list[tuple[int, float, float, bool]]) -> None:
    near, places = Nearby(), {}
    for row, lat, lon, stays in drawn:
        near.put(row, lat, lon)
        places[row] = (lat, lon)
        if not stays:
            near.remove(row)
            del places[row]
    for lat, lon in [*places.values(), (0.0, 0.0), (10.0, 179.9)]:
        found = near.around([(lat, lon)]).tolist()
        assert len(found) == len(set(found))
        for row, (at_lat, at_lon) in places.items():
            apart = abs(at_lon - lon)
            if abs(at_lat - lat) < 0.5 and min(apart, 360 - apart) < 0.5:
                assert row in found
