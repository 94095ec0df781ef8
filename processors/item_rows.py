"""The rows of kind `item`: what the learner knows of one item, all models of one number per item in one row.

Items get numbers from 1 in the order in which they are first learned; neighbours travel as numbers, 4 bytes each, and
a row says its item's number. Items that are over are forgotten (lifetimes.py), by the lists of others too, and their
number is free for the next. A forgotten item has a row of number 0, until a tombstone takes its place.
"""

from heapq import heappop, heappush
from typing import Final

import msgspec
from msgspec import Struct

from processors.actions import weights
from processors.covisitation import Covisitation, unpacked
from processors.decay import EMPTY
from processors.lifetimes import OVER, Lifetimes
from processors.model_rows import row_key
from processors.pack import Pack
from processors.popularity import Popularity
from processors.trails import TrailRow, Trails
from schemas.learning import RETIRED, Example

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
    last_ms: int = 0
    until_ms: int = 0
    """lifetimes.py"""


class _Numbered(Struct, array_like=True, frozen=True):
    """The first elements of the value; decoding ignores the rest."""

    offset: int
    number: int


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(ItemRow)
_number_decoder: Final = msgspec.msgpack.Decoder(_Numbered)
_PREFIX: Final = row_key(KIND, "")


def decode_item_row(value: bytes) -> ItemRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


def is_item(key: bytes) -> bool:
    """Whether a key is one of this kind."""
    return key.startswith(_PREFIX)


def is_forgotten(key: bytes, value: bytes) -> bool:
    """Whether a row of any kind is that of a forgotten item."""
    return is_item(key) and _number_decoder.decode(value).number == 0


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
        self._free: list[int] = []
        """A heap: the lowest free number is given next, so that it does not matter how it became free."""
        self._forgotten: dict[str, int] = {}
        """Items forgotten since the last flush, and the record that did it."""
        self.lifetimes = Lifetimes(pack)
        self.popularity = Popularity(pack)
        self.covisitation = Covisitation(pack)
        self.trails = Trails(pack) if pack.models == "blend" else None
        self._reserve_nobody()

    def learn_one(self, example: Example, offset: int) -> None:
        """Learn one example of record `offset` of `learning`. An action of no or unknown weight teaches nothing."""
        action = example.action
        weight = example.weight
        if action == RETIRED:
            self._retire(example.item_id, offset)
        if not 0 <= action < len(self._weights) or self._weights[action] <= 0.0 or weight <= 0.0:
            return
        ts_ms = example.ts_ms
        if gone := self.lifetimes.due(ts_ms):
            self._forget(gone, offset)
        number = self._number_of(example.item_id)
        met = self.lifetimes.met
        met(number, ts_ms)
        self.lifetimes.acted_on(number, example.until_ms)
        history: list[tuple[int, int, int]] = []
        offsets = self._offsets
        for other_id, other_action, other_ms in example.history:
            if 0 <= other_action < len(self._weights) and self._weights[other_action] > 0.0:
                other = self._number_of(other_id, OVER)
                if other != number:
                    met(other, ts_ms)
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
        """The rows changed since the last call: what was forgotten, then the others by number."""
        rows: dict[bytes, bytes] = {}
        for item_id, offset in self._forgotten.items():
            if item_id not in self._numbers:
                rows[row_key(KIND, item_id)] = _encoder.encode(ItemRow(offset, 0, [], EMPTY, b""))
        self._forgotten.clear()
        for number in sorted(self._dirty):
            if self.trails is None:
                mass, packed, trail = *self.covisitation.payload(number), None
            else:
                mass, packed, trail = EMPTY, b"", self.trails.payload(number)
            row = ItemRow(
                self._offsets[number],
                number,
                self.popularity.levels[number],
                mass,
                packed,
                trail,
                self.lifetimes.last_ms[number],
                self.lifetimes.until_ms[number],
            )
            rows[row_key(KIND, self._ids[number])] = _encoder.encode(row)
        self._dirty.clear()
        return rows

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the state of a recovered table: item id -> row. Only into fresh models.

        Raises:
            ValueError: two rows have one number, or a number that is listed somewhere is missing.
        """
        decoded = sorted(((_decoder.decode(value), item_id) for item_id, value in rows.items()), key=_number)
        for row, item_id in decoded:
            if not row.number:
                continue
            if row.number < len(self._ids):
                raise ValueError(f"model rows: item {item_id!r} has number {row.number}, which another one has")
            while row.number > len(self._ids):
                self._free.append(len(self._ids))  # in order: a heap
                self._ids.append("")
                self._offsets.append(-1)
                self._make_room()
            self._append(item_id, row.offset)
            self._make_room(row)
        listed = (self.covisitation if self.trails is None else self.trails).listed()
        if missing := listed.difference(self._numbers.values()):
            raise ValueError(f"model rows: item number {min(missing)} is listed and is missing")

    def __len__(self) -> int:
        """Items known."""
        return len(self._numbers)

    def _number_of(self, item_id: str, until_ms: int = 0) -> int:
        number = self._numbers.get(item_id)
        if number is None:
            if self._free:
                number = heappop(self._free)
                self._numbers[item_id] = number
                self._ids[number] = item_id
            else:
                number = len(self._ids)
                self._append(item_id, -1)
                self._make_room()
            self.lifetimes.until_ms[number] = until_ms
        return number

    def _retire(self, item_id: str, offset: int) -> None:
        number = self._numbers.get(item_id)
        if number is not None:
            self.lifetimes.end(number)
            self._offsets[number] = offset
            self._dirty.add(number)

    def _forget(self, gone: list[int], offset: int) -> None:
        for number in gone:
            item_id = self._ids[number]
            del self._numbers[item_id]
            self._forgotten[item_id] = offset
            self._ids[number] = ""
            self._offsets[number] = -1
            self.popularity.forget(number)
            self.lifetimes.clear(number)
            heappush(self._free, number)
        self._dirty.difference_update(gone)
        changed = (self.covisitation if self.trails is None else self.trails).forget(gone)
        for number in changed:
            self._offsets[number] = offset
        self._dirty.update(changed)

    def _make_room(self, row: ItemRow | None = None) -> None:
        self.lifetimes.append(*(() if row is None else (row.last_ms, row.until_ms)))
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
