"""How much is done with all items together, at the half-lives of popularity: what shares are shares of."""

from typing import Final

import msgspec
from msgspec import Struct

from processors.actions import weights
from processors.decay import EMPTY, add
from processors.model_rows import row_key
from processors.pack import Pack
from processors.popularity import half_lives_ms
from schemas.learning import Example

KIND: Final = "total"
KEY: Final = row_key(KIND, "actions")


class TotalRow(Struct, array_like=True, frozen=True):
    """The value of the row `total/actions`: a level (processors/decay.py) by half-life."""

    offset: int
    levels: list[float]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(TotalRow)


def decode_total(value: bytes) -> TotalRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


class Totals:
    """The learner's half; learns only where the pack has the learned blend."""

    kind: Final = KIND

    def __init__(self, pack: Pack) -> None:
        self._half_lives_ms = half_lives_ms(pack)
        self._weights = weights(pack.actions)
        self._learns = pack.models == "blend"
        self._offset = -1
        self._is_dirty = False
        self.levels = [EMPTY] * len(self._half_lives_ms)

    def learn_one(self, example: Example, offset: int) -> None:
        """Count one action, whichever it is; one of no weight is none."""
        action = example.action
        if not self._learns or not 0 <= action < len(self._weights):
            return
        if self._weights[action] <= 0.0 or example.weight <= 0.0:
            return
        self._offset, self._is_dirty = offset, True
        for i, half_life_ms in enumerate(self._half_lives_ms):
            self.levels[i] = add(self.levels[i], example.ts_ms, 1.0, half_life_ms)

    def dirty_rows(self) -> dict[bytes, bytes]:
        """The one row, where it changed."""
        if not self._is_dirty:
            return {}
        self._is_dirty = False
        return {KEY: _encoder.encode(TotalRow(self._offset, self.levels))}

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the recovered row."""
        for value in rows.values():
            row = _decoder.decode(value)
            if len(row.levels) == len(self.levels):
                self._offset, self.levels = row.offset, row.levels
