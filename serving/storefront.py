"""The replica that requests are answered from, with what a page shows of an item: its card."""

from typing import Final, Protocol

import msgspec

from processors.pack import Pack
from processors.replica import Replica
from schemas.catalogue import Item

CARD_TEXT: Final = 400
"""Characters of the description that a card keeps."""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Item).decode


class Shelf(Protocol):
    """Whatever else wants to know the catalogue: a search index."""

    def put_item(self, item: Item) -> None:
        """An item is new or changed."""

    def retire_item(self, item_id: str) -> None:
        """An item is gone."""


class Storefront(Replica):
    """A replica and cards, kept as bytes: a hundred thousand of them are some forty megabytes."""

    def __init__(self, pack: Pack, *shelves: Shelf) -> None:
        super().__init__(pack)
        self._cards: dict[str, bytes] = {}
        self._others = list(shelves)
        self.is_ready = False
        """Whether everything that was in the topics at the start has been taken over; its reader says so."""

    def also(self, shelf: Shelf) -> None:
        """A shelf that knows this storefront, and so cannot be there before it. Before the first item."""
        self._others.append(shelf)

    def put_item(self, item: Item) -> None:
        super().put_item(item)
        short = item if len(item.text) <= CARD_TEXT else msgspec.structs.replace(item, text=_cut(item.text))
        self._cards[item.item_id] = _encode(short)
        for shelf in self._others:
            shelf.put_item(item)

    def retire_item(self, item_id: str) -> None:
        super().retire_item(item_id)
        self._cards.pop(item_id, None)
        for shelf in self._others:
            shelf.retire_item(item_id)

    def card(self, item_id: str) -> Item | None:
        """What a page shows of an item, the description cut; None where it is not live."""
        held = self._cards.get(item_id)
        return None if held is None else _decode(held)

    def raw_card(self, item_id: str) -> msgspec.Raw | None:
        """The card as JSON, to be put into an answer as it is."""
        held = self._cards.get(item_id)
        return None if held is None else msgspec.Raw(held)


def _cut(text: str) -> str:
    head = text[:CARD_TEXT]
    return head[: head.rfind(" ")] + "…" if " " in head else head
