"""Items with a price, or that could not be had, as a person saw them: at most sixteen, the latest looks stay."""

from typing import Final

from processors.replica import Replica
from processors.sending import Sending, Watched
from schemas.behaviour import Apply, Event, Save, View
from schemas.catalogue import Item

MAX_WATCHED: Final = 16


def watch(state: Sending, event: Event, item: Item | None) -> None:
    """Keep what the person saw; what they bought is not watched any more."""
    if isinstance(event, Apply):
        state.watched.pop(event.item_id, None)
    if not isinstance(event, View | Save) or item is None or (item.price is None and item.available):
        return
    known = state.watched.get(event.item_id)
    if known is not None and known.seen_s * 1000 > event.ts_ms:
        return
    price = item.price.amount if item.price is not None else None
    state.watched.pop(event.item_id, None)
    state.watched[event.item_id] = Watched(event.ts_ms // 1000, price, not item.available)
    while len(state.watched) > MAX_WATCHED:
        oldest = min(state.watched, key=lambda item_id: (state.watched[item_id].seen_s, item_id))
        del state.watched[oldest]


def look_again(state: Sending, replica: Replica) -> None:
    """Note what cannot be had now, so that its return is known."""
    for item_id, watched in state.watched.items():
        row = replica.catalogue.row_of(item_id)
        if row is not None and replica.catalogue.until_ms[row] < 0:
            watched.is_out = True


def told(state: Sending, item_id: str, price: float | None) -> None:
    """A mail said how it stands now."""
    if (watched := state.watched.get(item_id)) is not None:
        watched.price, watched.is_out = price, False
