"""Shares of places by size of the employer, by hand."""

import pytest

from evaluation.exposure import ExposureMeter
from processors.catalogue import Catalogue
from schemas.catalogue import Item


def catalogue(brands: dict[str, int]) -> Catalogue:
    made = Catalogue()
    for brand, count in brands.items():
        for n in range(count):
            made.put(Item(item_id=f"{brand}{n}", brand=brand or None))
    return made


def test_shares_by_size() -> None:
    made = catalogue({"big": 12, "mid": 6, "one": 1, "other": 1, "": 5})
    meter = ExposureMeter()
    meter.take(["big0", "big1", "mid0", "one0"], made)
    meter.take(["big0", "big2", "big3", "mid5", "0", "gone"], made)
    told = {share.size: share for share in meter.report(made) or ()}
    assert told["1 item"].of_items == pytest.approx(2 / 20)
    assert told["1 item"].of_places == pytest.approx(1 / 8)
    assert told["2-9 items"].of_places == pytest.approx(2 / 8)
    assert told["10 items and more"].of_places == pytest.approx(5 / 8)
    assert told["10 items and more"].ratio == pytest.approx(5 / 8 / (12 / 20))
    assert sum(share.of_items for share in told.values()) == pytest.approx(1.0)


def test_nothing_to_tell() -> None:
    assert ExposureMeter().report(catalogue({"big": 12})) is None
    without = catalogue({"": 5})
    meter = ExposureMeter()
    meter.take(["0"], without)
    assert meter.report(without) is None
