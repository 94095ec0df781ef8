"""The index against plain code over all items: filters, counts, what comes and goes."""

import random
from collections import Counter

import msgspec
import pytest

from processors.catalogue import yearly_salary
from processors.gazetteer import locate
from schemas.catalogue import Item, Location
from serving.search.constraints import MOST_TERMS, passes
from serving.search.facets import POSTED_DAYS, asked, facets
from serving.search.filters import NO_FILTERS, Filters, Near
from serving.search.index import ItemIndex
from tests.serving.search.shelf import DAY_MS, NOW_MS, filters, shelf

ITEMS = shelf(600, seed=1)
ALL = 10_000


@pytest.fixture(scope="module")
def index():
    made = ItemIndex()
    for item in ITEMS:
        made.put(item)
    made.refresh()
    return made


def found(index, words="", asked_for=NO_FILTERS, now_ms=NOW_MS):
    hits = index.search(index.query(index.wording(words), asked_for, now_ms), ALL)
    assert hits.total == len(hits.hits)
    return [hit.item_id for hit in hits.hits]


@pytest.mark.parametrize("most_terms", [1, MOST_TERMS])
def test_filters_find_what_a_scan_finds(index, monkeypatch, most_terms):
    """Whether values are looked for one by one or, where they are too many, as a set."""
    monkeypatch.setattr("serving.search.constraints.MOST_TERMS", most_terms)
    rng = random.Random(2)
    sizes = []
    for _ in range(400):
        asked_for = filters(rng)
        expected = {item.item_id for item in ITEMS if passes(item, asked_for, NOW_MS, locate)}
        assert set(found(index, asked_for=asked_for)) == expected, asked_for
        sizes.append(len(expected))
    assert sum(1 for size in sizes if 0 < size < len(ITEMS)) > 100


def test_the_scan_itself_filters():
    """Negative control of the oracle: each filter excludes some item that passes without it."""
    shown = [item for item in ITEMS if passes(item, NO_FILTERS, NOW_MS, locate)]
    assert 0 < len(shown) < len(ITEMS)
    for field in ("near", "area", "cities", "salary", "price", "remote", "brands", "categories", "posted_within_ms"):
        rng = random.Random(field)
        kinds = [made for _ in range(60) if getattr(made := filters(rng), field)]
        alone = [Filters(**{field: getattr(made, field)}) for made in kinds]
        assert any(not passes(item, made, NOW_MS, locate) for made in alone for item in shown), field
        assert any(passes(item, made, NOW_MS, locate) for made in alone for item in shown), field


def test_a_radius_crosses_the_date_line():
    index = ItemIndex()
    for name, lon in (("west", 179.95), ("east", -179.95), ("far", 178.0)):
        index.put(Item(item_id=name, location=Location(lat=-17.0, lon=lon)))
    index.refresh()
    near = Filters(near=Near(lat=-17.0, lon=179.99, radius_km=20.0))
    assert found(index, asked_for=near) == ["west", "east"]


@pytest.mark.parametrize("words", ["", "nurse", "python night", "red shoes"])
def test_facets_count_what_was_found(index, words):
    rng = random.Random(words)
    for _ in range(30):
        asked_for = filters(rng)
        query = index.query(index.wording(words), asked_for, NOW_MS)
        counted = {
            facet.field: {count.value: count for count in facet.counts}
            for facet in facets(index.aggregate(query, asked(NOW_MS)), index.documents)
        }
        here = set(found(index, words, asked_for))
        items = [item for item in ITEMS if item.item_id in here]
        brands = Counter(item.brand for item in items if item.brand)
        assert {value: count.items for value, count in counted.get("brand", {}).items()} == brands
        categories = Counter(name for item in items for name in set(item.categories))
        assert {value: count.items for value, count in counted.get("category", {}).items()} == categories
        remote = Counter("yes" if item.remote else "no" for item in items if item.remote is not None)
        assert {value: count.items for value, count in counted.get("remote", {}).items()} == remote
        for field, amounts in (
            ("salary", [yearly_salary(item.salary) for item in items]),
            ("price", [item.price.amount for item in items if item.price]),
        ):
            for count in counted.get(field, {}).values():
                assert count.items == sum(count.least <= amount < (count.most or 1e13) for amount in amounts)
            total = sum(count.items for count in counted.get(field, {}).values())
            assert total == sum(amount == amount for amount in amounts)  # noqa: PLR0124 (NaN: says nothing)
        for name, days in POSTED_DAYS.items():
            recent = sum((item.posted_ms or 0) >= NOW_MS - days * DAY_MS for item in items)
            assert (counted["posted"][name].items if name in counted.get("posted", {}) else 0) == recent


def test_words_find_items_that_have_all_of_them(index):
    stem = index.analysis.stem
    for words in ("nurse", "nurses", "night nurse", "senior python", "associate sales"):
        wanted = {stem(word) for word in words.split()}
        expected = {
            item.item_id
            for item in ITEMS
            if passes(item, NO_FILTERS, NOW_MS, locate)
            and wanted
            <= {
                stem(word)
                for word in index.analysis.words(" ".join([item.title, item.text, item.brand or "", *item.categories]))
            }
        }
        assert set(found(index, words)) == expected
        assert expected


def test_quoted_words_stand_together(index):
    hits = index.search(index.query(index.wording("", ("night nurse",)), NO_FILTERS, NOW_MS), ALL).hits
    by_id = {item.item_id: item for item in ITEMS}
    assert hits
    for hit in hits:
        told = by_id[hit.item_id]
        assert "night nurse" in told.title.lower() or "night nurse" in told.text.lower()


def test_a_retired_item_is_gone_at_once_and_a_changed_one_is_found_as_it_is_now():
    index = ItemIndex()
    first, second = [item for item in ITEMS if passes(item, NO_FILTERS, NOW_MS, locate)][:2]
    index.put(msgspec.structs.replace(first, title="Glassblower", text=""))
    index.put(msgspec.structs.replace(second, title="Glassblower", text=""))
    assert found(index, "glassblower") == []
    index.refresh()
    assert found(index, "glassblower") == [first.item_id, second.item_id]
    index.retire(first.item_id)
    assert found(index, "glassblower") == [second.item_id]
    index.refresh()
    assert found(index, "glassblower") == [second.item_id]
    index.put(msgspec.structs.replace(second, title="Beekeeper", text=""))
    index.refresh()
    assert found(index, "glassblower") == []
    assert found(index, "beekeeper") == [second.item_id]
    assert index.vocabulary.items("glassblower") == 0
    index.put(msgspec.structs.replace(first, title="Beekeeper", text=""))
    index.refresh()
    assert set(found(index, "beekeeper")) == {first.item_id, second.item_id}
    assert len(index) == 2
    assert not index.refresh()


def test_many_changes_leave_what_was_put_last():
    index = ItemIndex()
    rng = random.Random(3)
    live = {}
    for round_number in range(12):
        for item in rng.sample(ITEMS, 40):
            if rng.random() < 0.3:
                index.retire(item.item_id)
                live.pop(item.item_id, None)
            else:
                changed = msgspec.structs.replace(item, title=f"round{round_number} thing", available=True)
                index.put(changed)
                live[item.item_id] = changed
        index.refresh()
        expected = {item_id for item_id, item in live.items() if passes(item, NO_FILTERS, NOW_MS, locate)}
        assert set(found(index)) == expected
        latest = {i for i in expected if live[i].title.startswith(f"round{round_number} ")}
        assert set(found(index, f"round{round_number}")) == latest
