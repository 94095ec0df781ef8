"""The rows of kind `challenger`: a fitted model, and whether it serves. They are written by `attune challenger`.

The learner leaves them alone. `offset` is, as in every row of `model`, a place in `learning`, and never goes back.
"""

from typing import Final

import msgspec
from msgspec import Struct

from processors.model_rows import row_key

KIND: Final = "challenger"
MODEL: Final = row_key(KIND, "model")
STATE: Final = row_key(KIND, "state")


class ChallengerModel(Struct, array_like=True, frozen=True):
    """The value of `challenger/model`: XGBoost's UBJSON, with the blend's weights that it was boosted from."""

    offset: int
    names: list[str]
    weights: list[float]
    examples: int
    seed: int
    trees: bytes


class ChallengerState(Struct, array_like=True, frozen=True):
    """The value of `challenger/state`. `model` names the fitted model (`challenger.identity_of`).

    `change` is `fit`, `serve` or `rollback`; the figures are those of the comparison when it was decided: observations,
    and the blend's gain minus the challenger's with the ends of its interval, None before there was one.
    """

    offset: int
    change: str
    model: str
    serves: bool
    at_ms: int
    n: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    winner: str | None = None


_model_decoder: Final = msgspec.msgpack.Decoder(ChallengerModel)
_state_decoder: Final = msgspec.msgpack.Decoder(ChallengerState)
_encoder: Final = msgspec.msgpack.Encoder()


def encode_row(row: ChallengerModel | ChallengerState) -> bytes:
    """The value of a row."""
    return _encoder.encode(row)


def decode_model(value: bytes) -> ChallengerModel:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _model_decoder.decode(value)


def decode_state(value: bytes) -> ChallengerState:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _state_decoder.decode(value)
