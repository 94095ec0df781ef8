"""Reports for people: a table, a plot of the windows in the terminal, and the same plot as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evaluation.intervals import Estimate
from evaluation.metrics import RankMetrics
from evaluation.next_report import NextReport
from evaluation.off_policy import OffPolicyReport
from evaluation.plot import Series, bars, svg
from evaluation.ranker import RankerReport

COLUMNS: Final = ("hr@10", "hr@20", "mrr@20", "ndcg@10")
DRAWN: Final = "hr@20"


def show_next(report: NextReport, console: Console) -> None:
    """Print a report of protocols P1 and P2."""
    console.print(
        f"[bold]{escape(report.file)}[/bold]  {report.protocol} {report.candidates}, {report.steps} steps, "
        f"domain {report.domain}: {report.events:,} events, {report.scored:,} scored, "
        f"{report.never_seen:,} never seen before"
    )
    table = _table("targets")
    _row(table, "[bold]pipeline[/bold]", report.metrics)
    if report.intervals is not UNSET:
        ends = [report.intervals[name] for name in COLUMNS if name in report.intervals]
        table.add_row("  95% interval", "", *[f"{one.low:.4f}–{one.high:.4f}" for one in ends])
    _row(table, "  warm people", report.warm)
    _row(table, "  new people", report.new_people)
    if report.segments is not UNSET:
        for group in report.segments.groups:
            _row(table, f"  {escape(group.name or '(no segment)')}", group)
    for name, metrics in report.baselines.items():
        _row(table, name.replace("_", " "), metrics)
    console.print(table)
    if report.segments is not UNSET:
        for share in report.segments.exposure or ():
            console.print(f"brands of {share.size}: {share.of_places:.1%} of places, {share.of_items:.1%} of items")
    if report.ranker is not None:
        _show_ranker(report.ranker, console)
    if report.ablation is not UNSET:
        _show_ablation(report, console)
    _show_windows(report, console)
    console.print(f"{report.seconds:.1f} s, {report.events_per_s:,.0f} events/s, peak {report.peak_mb:,.0f} MB")


def _show_ranker(ranker: RankerReport, console: Console) -> None:
    for name, head in (("p(click)", ranker), ("p(apply | click)", ranker.apply)):
        if head.calibration is None or head.normalised_entropy is None or head.auc is None:
            console.print(f"{name}: {head.positives:,} of {head.n:,}, which says nothing of it")
            continue
        console.print(
            f"{name}: {head.positives:,} of {head.n:,}, calibration {head.calibration:.3f}, "
            f"normalised entropy {head.normalised_entropy:.3f}, AUC {head.auc:.3f}, by tenths of p: "
            + (" ".join(f"{ratio:.2f}" for ratio in head.deciles) or "too few")
        )


def series_of(report: NextReport) -> tuple[Series, Sequence[int]]:
    """What is drawn of the windows, and the first events of them."""
    lines: dict[str, list[float]] = {"pipeline": [window.hr_20 or 0.0 for window in report.windows]}
    for name in report.windows[0].baselines if report.windows else ():
        lines[name.replace("_", " ")] = [window.baselines[name].hr_20 or 0.0 for window in report.windows]
    return lines, [window.from_event for window in report.windows]


def svg_of(report: NextReport) -> str:
    """The windows as an SVG document."""
    series, places = series_of(report)
    return svg(f"{report.file}, {report.candidates}: {DRAWN} by 5,000 events", series, places)


def show_off_policy(report: OffPolicyReport, console: Console) -> None:
    """Print a report of protocol P3."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("mean reward of the target policy")
    table.add_column("value", justify="right")
    table.add_column("95% interval", justify="right")
    for name, estimate in (
        ("importance sampling (IPS)", report.estimates.ips),
        ("self-normalised (SNIPS)", report.estimates.snips),
        ("doubly robust (DR)", report.estimates.dr),
        ("difference: DR minus what it earned itself", report.difference),
    ):
        table.add_row(name, f"{estimate.value:.5f}", f"{estimate.low:.5f} to {estimate.high:.5f}")
    console.print(table)
    told = report.verdict or "none: the effective sample is below 1,000"
    console.print(f"{report.n:,} decisions, effective sample {report.ess:,.0f}, {report.clipped:.1%} clipped")
    console.print(f"verdict: [bold]{told}[/bold]")


def _table(counted: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column(counted, justify="right")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    return table


def _row(table: Table, name: str, metrics: RankMetrics) -> None:
    values = (metrics.hr_10, metrics.hr_20, metrics.mrr_20, metrics.ndcg_10)
    table.add_row(name, f"{metrics.n:,}", *["–" if value is None else f"{value:.4f}" for value in values])


def _show_ablation(report: NextReport, console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, title="ablation: what the full pipeline has over each variant")
    table.add_column("")
    for name in ("hr@10", "mrr@20"):
        table.add_column(name, justify="right")
        table.add_column("full has more", justify="right")
    for one in report.ablation or ():
        told = [f"{value:.4f}" if value is not None else "–" for value in (one.metrics.hr_10, one.metrics.mrr_20)]
        table.add_row(one.name, told[0], _signed(one.gain.get("hr@10")), told[1], _signed(one.gain.get("mrr@20")))
    console.print(table)


def _signed(gain: Estimate | None) -> str:
    return "–" if gain is None else f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"


def _show_windows(report: NextReport, console: Console) -> None:
    series, places = series_of(report)
    if len(places) < 2:
        return
    top = max(max(values) for values in series.values()) or 1.0
    console.print(f"{DRAWN} by 5,000 events, from {places[0]:,}; full height {top:.3f}")
    for name, values in series.items():
        console.print(f"  {name:<14} {bars(_fitted(values, 100), top)}")


def _fitted(values: Sequence[float], width: int) -> list[float]:
    """At most `width` values, neighbours averaged."""
    run = -(-len(values) // width)
    return [sum(values[i : i + run]) / len(values[i : i + run]) for i in range(0, len(values), run)]
