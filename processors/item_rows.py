"""The rows of kind `item`: what the learner knows of one item, all models of one number per item in one row.

Items get numbers from 1 in the order in which they are first learned; neighbours travel as numbers, 4 bytes each, and
a row says its item's number. Numbers are never given twice: the state grows with the items ever acted on.
"""

from typing import Final

import msgspec
from msgspec import Struct

from processors.actions import weights
from processors.covisitation import Covisitation, unpacked
from processors.decay import EMPTY
from processors.model_rows import row_key
from processors.pack import Pack
from processors.popularity import Popularity
from processors.trails import TrailRow, Trails
from schemas.learning import Example

KIND: Final = "item"


class ItemRow(Struct, array_like=True, frozen=True):
    """The value of a row `item/<item_id>`. New models add fields with defaults at the end."""

    offset: int
    number: int
    popularity: list[float]
    mass: float
    neighbours: bytes
    trail: TrailRow | None = None
    """In place of mass and neighbours where the learned blend is on."""


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(ItemRow)


def decode_item_row(value: bytes) -> ItemRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


class ItemModels:
    """Popularity and co-visitation, or trails in its place, learned together because they share the item's row.

    The learned blend counts each action as one: what a save says more than a view is the reader's to weigh.
    """

    kind: Final = KIND

    def __init__(self, pack: Pack) -> None:
        self._weights = weights(pack.actions)
        self._numbers: dict[str, int] = {}
        self._ids: list[str] = []
        self._offsets: list[int] = []
        self._dirty: set[int] = set()
        self.popularity = Popularity(pack)
        self.covisitation = Covisitation(pack)
        self.trails = Trails(pack) if pack.models == "blend" else None
        self._reserve_nobody()

    def learn_one(self, example: Example, offset: int) -> None:
        """Learn one example of record `offset` of `learning`. An action of no or unknown weight teaches nothing."""
        action = example.action
        weight = example.weight
        if not 0 <= action < len(self._weights) or self._weights[action] <= 0.0 or weight <= 0.0:
            return
        number = self._number_of(example.item_id)
        ts_ms = example.ts_ms
        history: list[tuple[int, int, int]] = []
        offsets = self._offsets
        for other_id, other_action, other_ms in example.history:
            if 0 <= other_action < len(self._weights) and self._weights[other_action] > 0.0:
                other = self._number_of(other_id)
                if other != number:
                    history.append((other, other_action, other_ms))
                    offsets[other] = offset
                    self._dirty.add(other)
        offsets[number] = offset
        self._dirty.add(number)
        if self.trails is not None:
            self.popularity.learn_one(number, ts_ms, 1.0)
            self.trails.learn_one(number, ts_ms, history)
            return
        self.popularity.learn_one(number, ts_ms, weight)
        self.covisitation.learn_one(number, ts_ms, weight, history)

    def dirty_rows(self) -> dict[bytes, bytes]:
        """The rows changed since the last call, by number."""
        rows: dict[bytes, bytes] = {}
        for number in sorted(self._dirty):
            if self.trails is None:
                mass, packed, trail = *self.covisitation.payload(number), None
            else:
                mass, packed, trail = EMPTY, b"", self.trails.payload(number)
            row = ItemRow(self._offsets[number], number, self.popularity.levels[number], mass, packed, trail)
            rows[row_key(KIND, self._ids[number])] = _encoder.encode(row)
        self._dirty.clear()
        return rows

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the state of a recovered table: item id -> row. Only into fresh models.

        Raises:
            ValueError: the rows' numbers are not 1, 2, 3 …: the table is incomplete.
        """
        decoded = sorted(((_decoder.decode(value), item_id) for item_id, value in rows.items()), key=_number)
        for row, item_id in decoded:
            if row.number != len(self._ids):
                raise ValueError(f"model rows: item {item_id!r} has number {row.number}, {len(self._ids)} is missing")
            self._append(item_id, row.offset)
            self._make_room(row)

    def _number_of(self, item_id: str) -> int:
        number = self._numbers.get(item_id)
        if number is None:
            number = len(self._ids)
            self._append(item_id, -1)
            self._make_room()
        return number

    def _make_room(self, row: ItemRow | None = None) -> None:
        self.popularity.append(None if row is None else row.popularity)
        if self.trails is not None:
            self.trails.append(None if row is None else row.trail)
        elif row is not None:
            self.covisitation.append(row.mass, unpacked(row.neighbours))
        else:
            self.covisitation.append()

    def _append(self, item_id: str, offset: int) -> None:
        self._numbers[item_id] = len(self._ids)
        self._ids.append(item_id)
        self._offsets.append(offset)

    def _reserve_nobody(self) -> None:
        """Number 0 is no item, so that arrays of numbers can say 'none'."""
        self._ids.append("")
        self._offsets.append(-1)
        self._make_room()


def _number(entry: tuple[ItemRow, str]) -> int:
    return entry[0].number
