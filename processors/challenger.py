"""The challenger of the learned blend: boosted trees over the same features, fitted in batch on logged examples.

The trees are boosted from the blend's own score, as it was when they were fitted (XGBoost's base margin), so that they
learn what the linear model misses; candidates of one list are told apart pairwise (Chen and Guestrin, *XGBoost*, KDD
2016). A model is a row of `model`, its bytes XGBoost's own UBJSON. A second row says whether it serves, and with what
figures that was decided. A replica ranks by it only while both name the same model.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from processors.blend import NAMES
from processors.challenger_rows import ChallengerModel, ChallengerState
from schemas.learning import Example

Matrix = npt.NDArray[np.float64]

ROUNDS: Final = 80
LEAST_EXAMPLES: Final = 200
"""Fewer teach trees nothing."""
PARAMETERS: Final = {
    "objective": "rank:pairwise",
    "eta": 0.1,
    "max_depth": 4,
    "min_child_weight": 5.0,
    "lambda": 5.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "tree_method": "hist",
    "nthread": 1,
}


def candidates_of(example: Example) -> Matrix | None:
    """Candidates × features of an example, the one acted on first; None where it has none that can be used.

    Trees know the features of `NAMES`: that of listed attributes (attributes.py), the last, is left out.
    """
    sent, width = example.candidates, 2 * example.features
    if example.features not in (len(NAMES), len(NAMES) + 1) or len(sent) % width or len(sent) < 2 * width:
        return None
    table = np.frombuffer(sent, "<f2").reshape(-1, example.features)[:, : len(NAMES)].astype(np.float64)
    return table if np.isfinite(table).all() else None


def fit(tables: Sequence[npt.NDArray[np.floating]], weights: Matrix, offset: int, seed: int = 0) -> ChallengerModel:
    """Fit trees on what `candidates_of` gave. `weights` are the blend's by then, `offset` the last lesson looked at.

    The same tables, weights and seed give the same model.

    Raises:
        ValueError: fewer than `LEAST_EXAMPLES` tables.
    """
    if len(tables) < LEAST_EXAMPLES:
        raise ValueError(f"{len(tables)} examples with candidates; a challenger needs {LEAST_EXAMPLES}")
    features = np.concatenate(tables, dtype=np.float64)
    sizes = [len(table) for table in tables]
    labels = np.zeros(len(features), np.float32)
    labels[np.cumsum([0, *sizes[:-1]])] = 1.0
    xgboost = _xgboost()
    data = xgboost.DMatrix(features.astype(np.float32), labels, base_margin=(features @ weights).astype(np.float32))
    data.set_group(sizes)
    booster = xgboost.train({**PARAMETERS, "seed": seed}, data, ROUNDS)
    return ChallengerModel(
        offset=offset,
        names=list(NAMES),
        weights=weights.tolist(),
        examples=len(tables),
        seed=seed,
        trees=bytes(booster.save_raw("ubj")),
    )


def _xgboost() -> Any:
    """Half a second and 35 MB, for those alone who have a challenger."""
    import xgboost  # noqa: PLC0415

    return xgboost


def identity_of(model: ChallengerModel) -> str:
    """Names a model, 16 hex digits."""
    return blake2b(msgspec.msgpack.encode([model.weights, model.trees]), digest_size=8).hexdigest()


class Challenger:
    """A fitted model, ready to score."""

    def __init__(self, weights: Matrix, booster: Any) -> None:
        self._weights = weights
        self._booster = booster

    @classmethod
    def of(cls, model: ChallengerModel) -> Self | None:
        """The model of a row; None where it was fitted on other features than there are."""
        if model.names != list(NAMES):
            return None
        booster = _xgboost().Booster({"nthread": 1})
        booster.load_model(bytearray(model.trees))
        return cls(np.array(model.weights), booster)

    def scores(self, candidates: Matrix) -> Matrix:
        """A score for each row of candidates × features; larger is better."""
        margin = candidates @ self._weights
        scores = self._booster.inplace_predict(
            candidates.astype(np.float32), predict_type="margin", base_margin=margin.astype(np.float32)
        )
        return np.asarray(scores, np.float64)


def serving(model: ChallengerModel | None, state: ChallengerState | None) -> Challenger | None:
    """What a replica ranks by instead of the blend, where the rows say so."""
    if model is None or state is None or not state.serves or state.model != identity_of(model):
        return None
    return Challenger.of(model)
