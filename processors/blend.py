"""Weights of the features, learned online from what people chose among what they could have been shown.

The item acted on is told from other candidates of its own list by a softmax over w · x; one AdaGrad step an example
(Duchi, Hazan, Singer, JMLR 2011), gradients clipped. The weights start at the pack's `prior`, with `CAUTION` of squared
gradient on their account, so that the first examples move them little. Serves from the first event.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.attributes import FEATURE
from processors.model_rows import row_key
from processors.pack import BlendPrior, Pack
from schemas.learning import Example

KIND: Final = "blend"
KEY: Final = row_key(KIND, "weights")
NAMES: Final = BlendPrior.__struct_fields__
RATE: Final = 0.1
CAUTION: Final = 10.0
CLIP: Final = 5.0
MOST_CANDIDATES: Final = 256
"""An example of more is none of ours."""

OWN: Final = NAMES.index("own")
"""The first feature of own items."""

Weights = npt.NDArray[np.float64]


class BlendRow(Struct, array_like=True, frozen=True):
    """The value of the row `blend/weights`. `squares` are the sums of squared gradients."""

    offset: int
    examples: int
    names: list[str]
    weights: list[float]
    squares: list[float]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(BlendRow)


def decode_blend(value: bytes) -> BlendRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


def names_of(pack: Pack) -> tuple[str, ...]:
    """The features of a pack: `NAMES`, and one more where it lists attributes of people."""
    return (*NAMES, FEATURE) if pack.attributes else NAMES


def prior_of(pack: Pack) -> Weights:
    """The pack's weights, by feature. Of attributes nothing is presumed."""
    told = msgspec.structs.astuple(pack.prior)
    return np.array((*told, 0.0) if pack.attributes else told, np.float64)


def weights_of(row: BlendRow, pack: Pack) -> Weights:
    """A row's weights by feature; features that it does not know keep their prior."""
    learned = dict(zip(row.names, row.weights, strict=True))
    return np.array(
        [learned.get(name, before) for name, before in zip(names_of(pack), prior_of(pack).tolist(), strict=True)]
    )


class Blend:
    """The learner's half. A weight whose prior is exactly 0.0 is learned too."""

    kind: Final = KIND

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._names = names_of(pack)
        self._offset = -1
        self._is_dirty = False
        self.examples = 0
        self.weights = prior_of(pack)
        self.squares = np.full(len(self._names), CAUTION)

    def learn_one(self, example: Example, offset: int) -> None:
        """Take one step, where the example has candidates whose features are those of the pack."""
        width = len(self._names)
        size = 2 * width
        sent = example.candidates
        if example.features != width or len(sent) % size or not 2 <= len(sent) // size <= MOST_CANDIDATES:
            return
        table = np.frombuffer(sent, "<f2").reshape(-1, width).astype(np.float64)
        if not np.isfinite(table).all():
            return
        scores = table @ self.weights
        odds = np.exp(scores - scores.max())
        gradient = np.minimum(np.maximum(table[0] - (odds / odds.sum()) @ table, -CLIP), CLIP)
        self.squares += gradient * gradient
        self.weights += RATE * gradient / np.sqrt(self.squares)
        self.examples += 1
        self._offset, self._is_dirty = offset, True

    def dirty_rows(self) -> dict[bytes, bytes]:
        """The one row, where it changed."""
        if not self._is_dirty:
            return {}
        self._is_dirty = False
        row = BlendRow(self._offset, self.examples, list(self._names), self.weights.tolist(), self.squares.tolist())
        return {KEY: _encoder.encode(row)}

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the recovered row."""
        for value in rows.values():
            row = _decoder.decode(value)
            squares = dict(zip(row.names, row.squares, strict=True))
            self._offset, self.examples = row.offset, row.examples
            self.weights = weights_of(row, self._pack)
            self.squares = np.array([squares.get(name, CAUTION) for name in self._names])
