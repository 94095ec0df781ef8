"""Rows of lag as what the Lag page draws: groups, their topics, a cell for each partition."""

import heapq
import math
from collections.abc import Iterable

from msgspec import Struct

from serving.lag.row import LagRow
from serving.lag.status import Status

HEATS_S = (0.0, 0.5, 2.0, 5.0, 30.0, 300.0, 3_600.0)
"""Seconds behind above which a cell is a step warmer."""
WORST = 30
MAX_CELLS = 2_000
"""Of one page; of topics beyond that only the worst partitions are drawn, and none where nothing lags."""


class Cell(Struct, frozen=True):
    """One partition."""

    partition: int
    heat: int
    status: str
    lag: int
    lag_s: float
    title: str


class TopicCells(Struct, frozen=True):
    """One topic of a group."""

    topic: str
    cells: tuple[Cell, ...]
    lag: int
    lag_s: float
    eta_s: float | None
    behind: int
    summary: str


class GroupCells(Struct, frozen=True):
    """One group; `worst` are its rows for the table."""

    group: str
    members: int | None
    lag: int
    lag_s: float
    status: Status
    topics: tuple[TopicCells, ...]
    hidden: int
    worst: tuple[LagRow, ...]


def heat(lag: int, lag_s: float) -> int:
    """0 for caught up, to 7.

    >>> heat(0, 0.0), heat(3, 0.2), heat(3, 7.0), heat(3, 4_000.0)
    (0, 1, 4, 7)
    """
    return 0 if lag <= 0 else sum(lag_s >= step for step in HEATS_S)


def drawn(rows: Iterable[LagRow]) -> tuple[GroupCells, ...]:
    """Groups by name; the topics of each, those that lag most first."""
    groups: dict[str, dict[str, list[LagRow]]] = {}
    for row in rows:
        groups.setdefault(row.group, {}).setdefault(row.topic, []).append(row)
    room = MAX_CELLS
    found = []
    for group, topics in sorted(groups.items()):
        cells = []
        hidden = 0
        for topic, of_topic in sorted(topics.items(), key=lambda entry: (-max(r.lag_s for r in entry[1]), entry[0])):
            lags = any(row.lag or row.status for row in of_topic)
            if room < len(of_topic) and not lags:
                hidden += 1
                continue
            shown = of_topic if room >= len(of_topic) else heapq.nsmallest(WORST, of_topic, key=_badness)
            room -= len(shown)
            cells.append(_topic(topic, of_topic, shown))
        everything = [row for of_topic in topics.values() for row in of_topic]
        worst = heapq.nsmallest(WORST, everything, key=_badness)
        found.append(
            GroupCells(
                group,
                everything[0].members,
                sum(row.lag for row in everything),
                max(row.lag_s for row in everything),
                max(row.status for row in everything),
                tuple(cells),
                hidden,
                tuple(row for row in worst if row.lag or row.status),
            )
        )
    return tuple(found)


def _badness(row: LagRow) -> tuple[int, float, int]:
    return -int(row.status), -row.lag_s, -row.lag


def _topic(topic: str, rows: list[LagRow], shown: list[LagRow]) -> TopicCells:
    behind = sum(row.lag > 0 for row in rows)
    lag, lag_s = sum(row.lag for row in rows), max(row.lag_s for row in rows)
    etas = [math.inf if row.eta_s is None else row.eta_s for row in rows if row.lag]
    summary = (
        f"{topic}: {len(rows)} partitions, all caught up"
        if not behind
        else f"{topic}: {behind} of {len(rows)} partitions behind, {lag:,} records, {lag_s:,.0f} s at worst"
    )
    cells = tuple(
        Cell(
            row.partition,
            heat(row.lag, row.lag_s),
            row.status.name.lower(),
            row.lag,
            row.lag_s,
            f"{topic}[{row.partition}] {row.status.name}: {row.lag:,} records, {row.lag_s:,.1f} s",
        )
        for row in sorted(shown, key=lambda row: row.partition)
    )
    eta_s = max(etas, default=0.0)
    return TopicCells(topic, cells, lag, lag_s, None if math.isinf(eta_s) else eta_s, behind, summary)
