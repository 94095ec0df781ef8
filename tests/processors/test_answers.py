"""Places that answer a save."""

import msgspec
import pytest

from processors.actions import SAVE, VIEW
from processors.recommend import recommend
from tests.processors import market
from tests.processors.market import NOW_MS, TRADES, person, replica

TRADE = 3
"""Jobs 3, 9, 15 … are of one trade; the person below dealt with another."""
NURSING = tuple((number, VIEW) for number in (0, 6, 12, 18, 24))


def answered(models: str, answers: int, *actions: tuple[int, int]) -> tuple[list[bool], list[bool]]:
    """By place, whether the item is of the saved trade, and whether the first reason names what was saved."""
    pack = msgspec.structs.replace(market.PACK, models=models, answers=answers, max_per_brand=50)
    items = recommend(person(*actions), NOW_MS, replica(120, pack))
    kinds = [int(item.item_id[1:]) % len(TRADES) == TRADE and item.item_id != f"j{TRADE}" for item in items]
    return kinds, [f"similar to “{market.job(TRADE).title}” that you saved" == item.reasons[0] for item in items]


@pytest.mark.parametrize("models", ["spine", "blend"])
def test_a_save_is_answered_with_its_kind_at_every_second_place(models: str) -> None:
    kinds, named = answered(models, 4, *NURSING, (TRADE, SAVE))
    assert sum(kinds) >= 4
    assert sum(named) >= min(4, sum(kinds)) - sum(answered(models, 0, *NURSING, (TRADE, SAVE))[0])
    assert all(kind for kind, name in zip(kinds, named, strict=True) if name)
    assert len(kinds) == 10


@pytest.mark.parametrize("models", ["spine", "blend"])
def test_what_is_not_asked_for_is_not_answered(models: str) -> None:
    for actions in (NURSING, (*NURSING, (TRADE, VIEW)), ((TRADE, SAVE), *NURSING)):
        assert answered(models, 4, *actions) == answered(models, 0, *actions)


def test_answers_are_at_most_half_of_a_list() -> None:
    pack = msgspec.structs.replace(market.PACK, answers=10)
    items = recommend(person(*NURSING, (TRADE, SAVE)), NOW_MS, replica(120, pack), limit=4)
    assert sum(item.reasons[0].endswith("that you saved") for item in items) <= 2
    assert len(items) == 4
