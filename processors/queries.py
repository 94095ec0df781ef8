"""What people act on after they asked for something: decayed counts by query and item.

A query is the hash of its words in alphabetical order, so that `nurse, night` and `Night nurses` are one, and nobody's
words travel. There is room for `SLOTS` queries: where two fall into one slot, the one that is asked more keeps it.
"""

from math import exp2
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.actions import weights
from processors.decay import EMPTY, add
from processors.heavy_hitters import Sketch, observe
from processors.identity import hash64
from processors.model_rows import row_key
from processors.pack import Pack
from processors.popularity import DAY_MS
from processors.words import words
from schemas.learning import Example

KIND: Final = "query"
SLOTS: Final = 1 << 14
MOST_ITEMS: Final = 24
HALF_LIFE_D: Final = 30.0
ENOUGH: Final = 3.0
"""Actions after a query by which what it led to is half believed."""


class QueryRow(Struct, array_like=True, frozen=True):
    """The value of the row `query/<slot>`. `level` is how much the query was asked for."""

    offset: int
    query: int
    level: float
    items: Sketch


_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final = msgspec.msgpack.Decoder(QueryRow)


def decode_query_row(value: bytes) -> QueryRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


def query_of(text: str) -> int:
    """The identity of a query, never 0; 0 where it has no words.

    >>> query_of("Night nurses") == query_of("nurse, night") != query_of("welder")
    True
    """
    found = sorted(words(text))
    return (hash64(" ".join(found)) or 1) if found else 0


class Queries:
    """The learner's half."""

    kind: Final = KIND

    def __init__(self, pack: Pack) -> None:
        self._weights = weights(pack.actions)
        self._rows: dict[int, QueryRow] = {}
        self._dirty: set[int] = set()

    def learn_one(self, example: Example, offset: int) -> None:
        """Count an action that followed a query."""
        action = example.action
        if not example.query or not 0 <= action < len(self._weights) or self._weights[action] <= 0.0:
            return
        slot = example.query % SLOTS
        held = self._rows.get(slot)
        half_life_ms = HALF_LIFE_D * DAY_MS
        asked = add(EMPTY, example.ts_ms, 1.0, half_life_ms)
        if held is not None and held.query != example.query:
            if held.level > asked:
                return  # the other one is asked more, for now
            held = None
        items = {} if held is None else dict(held.items)
        observe(items, example.item_id, example.ts_ms, self._weights[action], half_life_ms, MOST_ITEMS)
        level = asked if held is None else add(held.level, example.ts_ms, 1.0, half_life_ms)
        self._rows[slot] = QueryRow(offset, example.query, level, items)
        self._dirty.add(slot)

    def dirty_rows(self) -> dict[bytes, bytes]:
        """The rows that changed."""
        rows = {row_key(KIND, str(slot)): _encode(self._rows[slot]) for slot in sorted(self._dirty)}
        self._dirty.clear()
        return rows

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the recovered rows."""
        self._rows = {int(slot): decode_query_row(value) for slot, value in rows.items()}


class QueriesView:
    """The replica's half."""

    def __init__(self) -> None:
        self._rows: dict[int, QueryRow] = {}

    def put(self, slot: int, row: QueryRow) -> None:
        """Take over a row."""
        self._rows[slot] = row

    def led_to(self, text: str, now_ms: int) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Items that people acted on after a query, and how surely each is what they wanted, in [0, 1): its share of
        the most wanted item, believed the more the more was acted on.
        """
        query = query_of(text)
        row = self._rows.get(query % SLOTS)
        if not query or row is None or row.query != query:
            return [], np.zeros(0)
        now = now_ms / (HALF_LIFE_D * DAY_MS)
        counts = np.array(
            [exp2(min(level - now, 60.0)) - exp2(min(inherited - now, 60.0)) for level, inherited in row.items.values()]
        )
        top = max(float(counts.max()), 1e-12)
        return list(row.items), np.maximum(counts, 0.0) / top * (counts.sum() / (counts.sum() + ENOUGH))
