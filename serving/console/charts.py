"""What charts draw: columns of numbers, as JSON beside the page's live part."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from serving.console.lag_feed import LagFeed
from serving.console.workers import Totals

MOST_POINTS = 300


def thinned(history: Sequence[Any]) -> list[Any]:
    """At most `MOST_POINTS`, the newest always among them.

    >>> thinned(range(5)) == [0, 1, 2, 3, 4]
    True
    """
    points = list(history)
    step = -(-len(points) // MOST_POINTS)
    return points[::-1][:: max(step, 1)][::-1]


def rates(history: Sequence[Totals]) -> dict[str, Any]:
    """Records and decisions a second, between one point and the next."""
    points = thinned(history)
    columns: list[list[float | None]] = [[], [], []]
    for before, after in pairwise(points):
        apart_s = after.at_s - before.at_s
        columns[0].append(after.at_s)
        columns[1].append(max(after.records - before.records, 0.0) / apart_s if apart_s > 0 else None)
        columns[2].append(max(after.decisions - before.decisions, 0.0) / apart_s if apart_s > 0 else None)
    return {"labels": ["records", "decisions"], "unit": "/s", "data": columns}


def worst_lag(feed: LagFeed) -> dict[str, Any]:
    """The worst seconds of each group."""
    moments = sorted({point.at_s for history in feed.history.values() for point in list(history)})
    columns: list[list[float | None]] = [list(moments)]
    labels = []
    for group, history in sorted(feed.history.items())[:8]:
        at = {point.at_s: point.lag_s for point in list(history)}
        labels.append(group)
        columns.append([at.get(moment) for moment in moments])
    return {"labels": labels, "unit": "s", "data": columns}


def produced_and_consumed(feed: LagFeed, group: str) -> dict[str, Any]:
    """Records a second into the group's topics, and past the group."""
    points = list(feed.history.get(group, ()))
    columns: list[list[float | None]] = [[], [], []]
    for before, after in pairwise(points):
        apart_s = after.at_s - before.at_s
        if apart_s > 0:
            columns[0].append(after.at_s)
            columns[1].append((after.end - before.end) / apart_s)
            columns[2].append((after.committed - before.committed) / apart_s)
    return {"labels": ["produced", "consumed"], "unit": "/s", "data": columns}
