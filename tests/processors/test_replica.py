"""Catalogue, text index and replica: what is put is read, rows are reused, order of arrival does not matter."""

import random

import numpy as np
import pytest

from processors.actions import SAVE, VIEW
from processors.catalogue import FOREVER_MS, Catalogue, yearly_salary
from processors.learner import MARKER_KEY
from processors.recommend import recommend
from processors.replica import Replica
from processors.text import MAX_LISTED, MAX_NEIGHBOURS, MAX_WORDS, TextIndex
from processors.words import words
from schemas.behaviour import Money
from schemas.catalogue import Item, Location, Salary
from tests.processors.market import NOW_MS, PACK, job, lessons, person, replica, taught


def test_an_item_is_read_as_it_was_put() -> None:
    catalogue = Catalogue()
    given = job(3, remote=True, tags=("a", "b"), price=Money(5.0, "USD"))
    row = catalogue.put(given)
    kept = catalogue.item(row)
    for field in ("item_id", "title", "brand", "categories", "tags", "posted_ms", "expires_ms"):
        assert getattr(kept, field) == getattr(given, field)
    assert kept.location is not None
    assert (kept.location.city, kept.location.region, kept.location.country) == ("Austin", "TX", "US") or given.location
    assert catalogue.price[row] == 5.0
    assert catalogue.remote[row] == 1


def test_an_item_of_nothing_but_an_id() -> None:
    catalogue = Catalogue()
    row = catalogue.put(Item(item_id="x"))
    assert catalogue.item(row) == Item(item_id="x")
    assert catalogue.until_ms[row] == FOREVER_MS
    assert np.isnan(catalogue.salary_max[row])


def test_rows_are_reused_and_columns_grow() -> None:
    catalogue = Catalogue()
    rows = {k: catalogue.put(job(k)) for k in range(1_000)}
    assert len(set(rows.values())) == 1_000 == len(catalogue)
    assert 0 not in rows.values()
    for k in range(0, 1_000, 2):
        assert catalogue.retire(f"j{k}") == rows[k]
    assert catalogue.retire("j0") is None
    assert catalogue.row_of("j0") is None
    again = [catalogue.put(job(k)) for k in range(2_000, 2_500)]
    assert sorted(again) == sorted(rows[k] for k in range(0, 1_000, 2))
    assert catalogue.rows == 1_001
    assert catalogue.item(rows[501]).item_id == "j501"
    with pytest.raises(KeyError):
        catalogue.item(0)


def test_a_changed_item_forgets_what_it_no_longer_says() -> None:
    catalogue = Catalogue()
    row = catalogue.put(job(3))
    catalogue.put(Item(item_id="j3"))
    assert catalogue.item(row).location is None
    assert catalogue.item(row).categories == ()
    assert np.isnan(catalogue.lat[row])
    assert not catalogue.category[:, row].any()


def test_cities_of_one_name_are_told_apart_by_region() -> None:
    catalogue = Catalogue()
    for region in ("IL", "MA"):
        catalogue.put(Item(item_id=region, location=Location(city="Springfield", region=region)))
    assert len(set(catalogue.cities_named("SPRINGFIELD"))) == 2
    assert catalogue.city_name(1) == catalogue.city_name(2) == "Springfield"


def test_salaries_are_by_the_year() -> None:
    assert yearly_salary(Salary(max=5_000.0, period="month")) == 60_000.0
    assert yearly_salary(Salary(max=1_000.0, min=900.0, period="week")) == 52_000.0
    assert np.isnan(yearly_salary(Salary()))


def test_items_and_rows_may_come_in_any_order() -> None:
    given = lessons(150)
    learner = taught(PACK, given)
    rows = learner.dirty_rows()
    first, second = Replica(PACK), Replica(PACK)
    for k in range(60):
        first.put_item(job(k))
    for made in (first, second):
        for key, value in rows.items():
            made.apply_row(key, value)
    for k in range(60):
        second.put_item(job(k))
    profile = person((1, SAVE), (7, VIEW))
    assert recommend(profile, NOW_MS, first) == recommend(profile, NOW_MS, second)
    assert recommend(profile, NOW_MS, first)[0].source in {"covisitation", "text"}


def test_a_returning_item_finds_its_models_again() -> None:
    made = replica()
    before = recommend(person((1, SAVE)), NOW_MS, made)
    for k in (7, 13, 1):
        made.retire_item(f"j{k}")
    made.put_item(job(900))
    for k in (1, 13, 7):
        made.put_item(job(k))
    made.retire_item("j900")
    after = recommend(person((1, SAVE)), NOW_MS, made)
    assert {item.item_id: round(item.score, 9) for item in after} == {
        item.item_id: round(item.score, 9) for item in before
    }


def test_the_version_is_that_of_the_last_complete_flush() -> None:
    made = Replica(PACK)
    assert made.version == "learning--1"
    learner = taught(PACK, lessons(3))
    for key, value in learner.dirty_rows().items():
        made.apply_row(key, value)
    made.apply_row(MARKER_KEY, learner.marker(2))
    assert made.version == "learning-2"
    made.apply_row(b"factors/unheard-of", b"\x90")


def test_a_learner_that_repeats_earlier_rows_is_followed_back() -> None:
    given = lessons(60)
    early, late = taught(PACK, given[:5]).dirty_rows(), taught(PACK, given).dirty_rows()
    straight, repeated = replica(given=given[:5]), replica(given=given)
    for key, value in early.items():
        repeated.apply_row(key, value)
    for key in late.keys() - early.keys():
        repeated.retire_item(key.decode().split("/")[1])
        straight.retire_item(key.decode().split("/")[1])
    for profile in (person(), person((1, VIEW))):
        assert recommend(profile, NOW_MS, repeated) == recommend(profile, NOW_MS, straight)


# ---------------------------------------------------------------- text


def index(*titles: str) -> TextIndex:
    made = TextIndex()
    for row, title in enumerate(titles, 1):
        made.put(row, Item(item_id=str(row), title=title))
    return made


def test_the_rarer_word_in_common_counts_more() -> None:
    made = index("night nurse", "night clerk", "day nurse", "night watch", "night porter", "night baker")
    rows, similarities = made.neighbours(1)
    assert rows[0] == 3
    assert (np.diff(similarities) <= 0).all()
    assert 1 not in rows


def test_text_is_bounded() -> None:
    made = TextIndex()
    for row in range(1, 2_001):
        made.put(row, Item(item_id=str(row), title=f"common {' '.join(f'w{row % 50}x{k}' for k in range(30))}"))
    assert len(made.neighbours(1)[0]) <= MAX_NEIGHBOURS
    assert all(len(listed) <= 2 * MAX_LISTED for listed in made._listed)
    assert made._words.shape[1] == MAX_WORDS
    assert made._words[1:2_001].all()
    for row in range(1, 2_001):
        made.remove(row)
    assert not made._codes
    assert not made._words.any()
    assert made._indexed == 0
    assert len(made.neighbours(1)[0]) == 0


def test_kept_neighbours_are_those_computed_anew() -> None:
    rng = random.Random(5)
    vocabulary = [f"word{k}" for k in range(30)]
    asked, silent = TextIndex(), TextIndex()
    for step in range(600):
        row = rng.randrange(1, 80)
        if rng.random() < 0.25:
            asked.remove(row)
            silent.remove(row)
        else:
            item = Item(item_id=str(row), title=" ".join(rng.choices(vocabulary, k=rng.randint(1, 5))), brand="word3")
            asked.put(row, item)
            silent.put(row, item)
        for other in range(1, 80, 7):
            asked.neighbours(other)
        if step % 50 == 0:
            silent._cache.clear()
            for other in range(1, 80):
                for one, two in zip(asked.neighbours(other), silent.neighbours(other), strict=True):
                    assert np.array_equal(one, two)


def test_similarities_lie_between_0_and_1_and_an_equal_title_is_1() -> None:
    made = index("senior java developer", "senior java developer", "java tester", "cook")
    rows, similarities = made.neighbours(1)
    assert rows[0] == 2
    assert similarities[0] == pytest.approx(1.0)
    assert 4 not in rows
    assert made.search("JAVA developers")[0].tolist()
    assert made.search("") == made.search("unheard of") or len(made.search("unheard of")[0]) == 0


def test_words_of_odd_texts() -> None:
    assert words("") == []
    assert words("— / !!") == []
    assert words("C# C++ c a") == ["c#", "c++"]
    assert words("Straße ÉCOLES") == ["strasse", "école"]
