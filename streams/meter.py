"""What a process measures beside its plain counts: labelled counters, gauges and histograms of the metric table.

A child's samples travel to the supervisor with its status line; the supervisor's port exposes them all.
"""

from bisect import bisect_left
from typing import Any, Final

from schemas.metric_table import METRICS, Metric

MAX_SERIES: Final = 200
"""Label combinations of one metric in a process; what comes after is counted under `other`."""
Sample = tuple[str, dict[str, str], float]


class Meter:
    """Measures under the names of the table. A name that is not there raises KeyError: a bug."""

    def __init__(self) -> None:
        self._values: dict[str, dict[tuple[str, ...], float]] = {}
        self._histograms: dict[str, tuple[tuple[float, ...], list[int], list[float]]] = {}

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Add to a counter."""
        series = self._series(name)
        if labels not in series and len(series) >= MAX_SERIES:
            labels = ("other",) * len(labels)
        series[labels] = series.get(labels, 0.0) + by

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge, or a counter that is kept elsewhere."""
        self._series(name)[labels] = value

    def observe(self, name: str, value: float) -> None:
        """Put a value into a histogram."""
        found = self._histograms.get(name)
        if found is None:
            edges = METRICS[name].buckets
            found = self._histograms[name] = (edges, [0] * (len(edges) + 1), [0.0])
        edges, counts, total = found
        counts[bisect_left(edges, value)] += 1
        total[0] += value

    def samples(self) -> list[Sample]:
        """Everything measured, histograms cumulated as Prometheus wants them."""
        found: list[Sample] = []
        for name, series in list(self._values.items()):
            names = METRICS[name].labels
            found.extend((name, dict(zip(names, labels, strict=True)), value) for labels, value in list(series.items()))
        for name, (edges, counts, total) in list(self._histograms.items()):
            so_far = 0
            for edge, count in zip((*(repr(edge) for edge in edges), "+Inf"), counts, strict=True):
                so_far += count
                found.append((f"{name}_bucket", {"le": edge}, so_far))
            found += [(f"{name}_sum", {}, total[0]), (f"{name}_count", {}, so_far)]
        return found

    def _series(self, name: str) -> dict[tuple[str, ...], float]:
        found = self._values.get(name)
        if found is None:
            assert METRICS[name].kind != "histogram"
            found = self._values[name] = {}
        return found


def exposition(samples: list[Sample], table: tuple[Metric, ...]) -> str:
    """Prometheus' text form, in the order of the table; a sample whose metric is not in it is left out."""
    lines = []
    for metric in table:
        named = [sample for sample in samples if sample[0] in metric.series]
        if named:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
            lines += [f"{name}{_labels(labels)} {value!r}" for name, labels, value in named]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, Any]) -> str:
    shown = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
