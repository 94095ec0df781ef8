"""What each model contributes: the pack with one weight alone, and with all but one (MODELS §2).

Models are found by name, as fields of `pack.scores`: one that is added there later is part of the ablation.
"""

from __future__ import annotations

import msgspec

from processors.pack import Pack, ScoreWeights


def variants(pack: Pack) -> dict[str, Pack]:
    """Name -> pack: `without X` and `only X` for each weight that is not 0.

    >>> names = list(variants(Pack(name="jobs")))
    >>> names[:2], "without text" in names
    (['without covisitation', 'only covisitation'], True)
    """
    weights: dict[str, float] = msgspec.structs.asdict(pack.scores)
    found: dict[str, Pack] = {}
    for name, weight in weights.items():
        if weight:
            found[f"without {name}"] = _weighted(pack, {**weights, name: 0.0})
            found[f"only {name}"] = _weighted(pack, {other: weight if other == name else 0.0 for other in weights})
    return found


def _weighted(pack: Pack, weights: dict[str, float]) -> Pack:
    return msgspec.structs.replace(pack, scores=ScoreWeights(**weights))
