"""What each model contributes: the learned blend with one model's features alone, and with all but one's (MODELS §2).

A feature that is left out is 0 in every list and every example, so that the other weights are learned without it. What
may be shown is found by all sources alike: the table tells what models add to the ranking. The transparent blend is
taken apart by its weights instead.
"""

from __future__ import annotations

from typing import Final

import msgspec

from processors.blend import NAMES
from processors.pack import Pack, ScoreWeights

MODELS: Final[dict[str, tuple[str, ...]]] = {
    "popularity": ("level", "hour", "day", "week", "month", "ever"),
    "co-visitation": ("followed", "preceded", "together", "after_last"),
    "sessions": ("session", "session_after", "session_before", "session_next"),
    "text": ("text", "text_log", "text_last"),
    "location": ("distance", "distance_last", "near", "far"),
    "labels": ("labels",),
    "freshness": ("fresh",),
    "stated": ("stated", "kind", "remote"),
    "own": tuple(name for name in NAMES if name.startswith("own")),
}
"""Model -> its features; `own` is recency and repeats."""


def variants(pack: Pack) -> dict[str, Pack]:
    """Name -> pack: `without X` and `only X` for each model, or each weight of the transparent blend that is not 0.

    >>> list(variants(Pack(name="jobs", models="blend")))[:2]
    ['without popularity', 'only popularity']
    >>> list(variants(Pack(name="jobs", models="spine")))[:2]
    ['without covisitation', 'only covisitation']
    """
    return _muted(pack) if pack.models == "blend" else _reweighted(pack)


def _muted(pack: Pack) -> dict[str, Pack]:
    found: dict[str, Pack] = {}
    for model, features in MODELS.items():
        others = tuple(name for name in NAMES if name not in features)
        found[f"without {model}"] = msgspec.structs.replace(pack, muted=features)
        found[f"only {model}"] = msgspec.structs.replace(pack, muted=others)
    return found


def _reweighted(pack: Pack) -> dict[str, Pack]:
    weights: dict[str, float] = msgspec.structs.asdict(pack.scores)
    found: dict[str, Pack] = {}
    for name, weight in weights.items():
        if weight:
            without = {**weights, name: 0.0}
            only = {other: weight if other == name else 0.0 for other in weights}
            found[f"without {name}"] = msgspec.structs.replace(pack, scores=ScoreWeights(**without))
            found[f"only {name}"] = msgspec.structs.replace(pack, scores=ScoreWeights(**only))
    return found
