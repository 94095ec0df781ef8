"""What a protocol found out about each target: ranks, and by what they may be told apart. 60-odd bytes a target."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from evaluation.baselines import NAMES
from evaluation.exposure import Exposure
from evaluation.ranker import RankerReport

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _doubles() -> array[float]:
    return array("d")


def _ints() -> array[int]:
    return array("q")


class Judged(Struct):
    """One entry a target, in the order of the log."""

    rank: array[float] = msgspec.field(default_factory=_doubles)
    """1-based, inf beyond the list."""
    person: array[int] = msgspec.field(default_factory=_ints)
    event: array[int] = msgspec.field(default_factory=_ints)
    """The place of the event in the log, from 0."""
    earlier: array[int] = msgspec.field(default_factory=_ints)
    """Events of the person before."""
    absence_ms: array[int] = msgspec.field(default_factory=_ints)
    """Since the person's last event."""
    segment: array[int] = msgspec.field(default_factory=_ints)
    """Place in `segments`."""
    baselines: array[float] = msgspec.field(default_factory=_doubles)
    """A rank for each of `baselines.NAMES`, where they were asked for."""
    segments: dict[str, int] = {}
    events: int = 0
    never_seen: int = 0
    ranker: RankerReport | None = None
    """P4; None for logs without impressions."""
    exposure: list[Exposure] | None = None
    """Who is shown in the lists that were judged; None for logs without brands."""

    def add(
        self,
        rank: float,
        *,
        person: int,
        event: int,
        earlier: int,
        absence_ms: int,
        segment: str,
        baselines: Sequence[float],
    ) -> None:
        """Note one target."""
        self.rank.append(rank)
        self.person.append(person)
        self.event.append(event)
        self.earlier.append(earlier)
        self.absence_ms.append(absence_ms)
        self.segment.append(self.segments.setdefault(segment, len(self.segments)))
        self.baselines.extend(baselines)

    def since(self, event: int) -> Judged:
        """The targets from this place in the log on, without what is known of the whole run."""
        chosen = [i for i, at in enumerate(self.event) if at >= event]
        width = len(self.baselines) // len(self) if len(self) else 0
        later = Judged(segments=self.segments, events=self.events)
        for i in chosen:
            later.rank.append(self.rank[i])
            later.person.append(self.person[i])
            later.event.append(self.event[i])
            later.earlier.append(self.earlier[i])
            later.absence_ms.append(self.absence_ms[i])
            later.segment.append(self.segment[i])
            later.baselines.extend(self.baselines[width * i : width * (i + 1)])
        return later

    def __len__(self) -> int:
        return len(self.rank)

    @property
    def ranks(self) -> Floats:
        return np.array(self.rank, np.float64)

    @property
    def baseline_ranks(self) -> dict[str, Floats]:
        """By name; empty where no baseline was run."""
        if len(self.baselines) != len(self.rank) * len(NAMES):
            return {}
        table = np.array(self.baselines, np.float64).reshape(-1, len(NAMES))
        return {name: table[:, i] for i, name in enumerate(NAMES)}
