"""Items with a price, or that could not be had, as a person saw them: at most sixteen, the latest looks stay."""

from collections.abc import Iterable
from math import isfinite
from typing import Final

from processors.replica import Replica
from processors.sending import Sending, Watched
from schemas.behaviour import Apply, Event, Save, View

MAX_WATCHED: Final = 16


def watch(state: Sending, event: Event, replica: Replica) -> None:
    """Keep what the person saw; what they bought is not watched any more."""
    if isinstance(event, Apply):
        state.watched.pop(event.item_id, None)
    if not isinstance(event, View | Save):
        return
    row = replica.catalogue.row_of(event.item_id)
    if row is None:
        return
    price, is_out = price_of(row, replica), bool(replica.catalogue.until_ms[row] < 0)
    if price is None and not is_out:
        return
    known = state.watched.get(event.item_id)
    if known is not None and known.seen_s * 1000 > event.ts_ms:
        return
    state.watched.pop(event.item_id, None)
    state.watched[event.item_id] = Watched(event.ts_ms // 1000, price, is_out)
    while len(state.watched) > MAX_WATCHED:
        oldest = min(state.watched, key=lambda item_id: (state.watched[item_id].seen_s, item_id))
        del state.watched[oldest]


def look_again(state: Sending, replica: Replica) -> None:
    """Note what cannot be had now, so that its return is known."""
    for item_id, watched in state.watched.items():
        row = replica.catalogue.row_of(item_id)
        if row is not None and replica.catalogue.until_ms[row] < 0:
            watched.is_out = True


def told(state: Sending, item_ids: Iterable[str], replica: Replica) -> None:
    """A mail said how these items stand now."""
    for item_id in item_ids:
        watched, row = state.watched.get(item_id), replica.catalogue.row_of(item_id)
        if watched is not None and row is not None:
            watched.price, watched.is_out = price_of(row, replica), False


def price_of(row: int, replica: Replica) -> float | None:
    """What an item costs now, None where that is not stated."""
    price = float(replica.catalogue.price[row])
    return price if isfinite(price) else None
