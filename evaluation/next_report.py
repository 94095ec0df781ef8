"""What `attune evaluate` prints of protocols P1 and P2: the contract's JSON, as structs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Struct, UnsetType

from evaluation.exposure import Exposure
from evaluation.intervals import Estimate, Ratio, bootstrap, cluster_sums
from evaluation.judged import Judged
from evaluation.metrics import RankMetrics, discounted_gain, hit, reciprocal_rank, summarise
from evaluation.ranker import RankerReport

Floats = npt.NDArray[np.float64]

WINDOW: Final = 5_000
"""Events of the log."""
NEW_PERSON: Final = 5
"""Whoever has fewer earlier events is new, the others are warm."""
RETURNING_MS: Final = 30 * 86_400_000
"""Absent for longer: a returning person."""
RETURNING: Final = "returning"
GAINS: Final[dict[str, Callable[[Floats], Floats]]] = {
    "hr@10": lambda ranks: hit(ranks, 10),
    "hr@20": lambda ranks: hit(ranks, 20),
    "mrr@20": lambda ranks: reciprocal_rank(ranks, 20),
    "ndcg@10": lambda ranks: discounted_gain(ranks, 10),
}


class Window(RankMetrics, frozen=True, kw_only=True):
    """The figures of the targets among events `from_event` to `to_event` - 1 of the log."""

    from_event: int
    to_event: int
    baselines: dict[str, RankMetrics] = msgspec.field(default_factory=dict)
    """The two that are drawn beside the pipeline."""


class Group(RankMetrics, frozen=True, kw_only=True):
    """The figures of one kind of people."""

    name: str


class Groups(Struct, frozen=True):
    """Kinds of people apart: by segment, and who returns after 30 days; `worst_to_mean` of HR@10 over those with at
    least 100 targets, 1 where all fare alike; and the share of places that brands of each size get.
    """

    groups: list[Group]
    worst_to_mean: float | None
    exposure: list[Exposure] | None = None


class Variant(Struct, frozen=True):
    """One ablation: its figures, and the full pipeline's minus its own with paired 95% intervals by person."""

    name: str
    metrics: RankMetrics
    gain: dict[str, Estimate]


class NextReport(Struct, kw_only=True):
    """The JSON of the contract. `ranker` is null for logs without impressions: P4 is never computed on sampled
    negatives. The last three are there where they were asked for.
    """

    file: str
    protocol: str
    candidates: str
    steps: str
    domain: str
    events: int
    scored: int
    never_seen: int
    metrics: RankMetrics
    warm: RankMetrics
    new_people: RankMetrics
    baselines: dict[str, RankMetrics]
    windows: list[Window]
    ranker: RankerReport | None
    seconds: float
    events_per_s: float
    peak_mb: float
    config: dict[str, Any]
    intervals: dict[str, Estimate] | UnsetType = UNSET
    segments: Groups | UnsetType = UNSET
    ablation: list[Variant] | UnsetType = UNSET


def figures(judged: Judged) -> dict[str, Any]:
    """The fields of a report that follow from the ranks alone."""
    ranks = judged.ranks
    new = np.array(judged.earlier) < NEW_PERSON
    baselines = judged.baseline_ranks
    return {
        "events": judged.events,
        "scored": len(judged),
        "never_seen": judged.never_seen,
        "metrics": summarise(ranks),
        "warm": summarise(ranks[~new]),
        "new_people": summarise(ranks[new]),
        "baselines": {name: summarise(theirs) for name, theirs in baselines.items()},
        "windows": windows(judged),
        "ranker": judged.ranker,
    }


def windows(judged: Judged) -> list[Window]:
    """The figures along the log; windows without a target are left out."""
    ranks, baselines = judged.ranks, judged.baseline_ranks
    place = np.array(judged.event) // WINDOW
    found: list[Window] = []
    for number in np.unique(place).tolist():
        inside = place == number
        theirs = {name: baselines[name][inside] for name in _DRAWN if name in baselines}
        found.append(
            Window(
                **_fields(summarise(ranks[inside])),
                from_event=number * WINDOW,
                to_event=(number + 1) * WINDOW,
                baselines={name: summarise(values) for name, values in theirs.items()},
            )
        )
    return found


def intervals(judged: Judged, seed: int = 0) -> dict[str, Estimate]:
    """95% intervals of the four metrics, by person."""
    return _clustered({name: gain(judged.ranks) for name, gain in GAINS.items()}, judged, seed)


def variant(name: str, full: Judged, other: Judged, seed: int = 0) -> Variant:
    """Compare an ablation with the full pipeline on the same targets.

    Raises ValueError where the two did not judge the same events.
    """
    if full.event != other.event:
        raise ValueError(f"{name}: judged other events than the full pipeline")
    gains = {metric: gain(full.ranks) - gain(other.ranks) for metric, gain in GAINS.items()}
    return Variant(name, summarise(other.ranks), _clustered(gains, full, seed))


def groups(judged: Judged) -> Groups:
    """People by segment ('' where none is stated), and those who return."""
    ranks, codes = judged.ranks, np.array(judged.segment)
    found = [Group(name=name, **_fields(summarise(ranks[codes == code]))) for name, code in judged.segments.items()]
    found.sort(key=lambda group: (-group.n, group.name))
    known = [group.hr_10 for group in found if group.n >= 100 and group.hr_10 is not None]
    returning = ranks[np.array(judged.absence_ms) > RETURNING_MS]
    found.append(Group(name=RETURNING, **_fields(summarise(returning))))
    mean = math.fsum(known) / len(known) if known else 0.0
    return Groups(found, min(known) / mean if mean else None, judged.exposure)


_DRAWN: Final = ("covisitation", "popularity_1d")


def _fields(metrics: RankMetrics) -> Mapping[str, Any]:
    return {name: getattr(metrics, name) for name in RankMetrics.__struct_fields__}


def _clustered(gains: Mapping[str, Floats], judged: Judged, seed: int) -> dict[str, Estimate]:
    if not len(judged):
        return {}
    _, person = np.unique(np.array(judged.person), return_inverse=True)
    counts = cluster_sums(np.ones(len(judged)), person)
    ratios = [Ratio(cluster_sums(gain, person), counts) for gain in gains.values()]
    found = bootstrap(ratios, np.random.default_rng(seed))
    return dict(zip(gains, found, strict=True))
