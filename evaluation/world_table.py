"""The table of `attune simulate`, for people; scripts take the JSON."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table as Grid

from evaluation.seed_table import Figure, Table

SHOWN: Final = (
    ("mails", "clicks", "clicks_per_mail", "apply_starts", "applies", "reactivated", "unsubscribes"),
    ("revenue", "orders", "days_to_first_apply", "views_per_apply", "true_fit_of_applies", "repeat_rate_60d"),
)


def show(table: Table, console: Console) -> None:
    """Print all outcomes with their lifts, and apply-starts by cohort; the JSON has every outcome of every cohort."""
    title = (
        f"{table.world}, {table.users:,} people, {table.days} days, seeds {', '.join(map(str, table.seeds))}: simulated"
    )
    for metrics in SHOWN:
        grid = Grid(
            title=title, caption=f"below a mean: its lift over {table.baseline} [95% interval over seeds], in %"
        )
        grid.add_column("policy")
        for metric in metrics:
            grid.add_column(metric, justify="right")
        for name, figures in table.policies.items():
            grid.add_row(name, *[told(figures.get(metric)) for metric in metrics])
        console.print(grid)
    cohorts = sorted({m.split(".")[1] for f in table.policies.values() for m in f if m.startswith("cohort.")})
    if not cohorts:
        return
    grid = Grid(title="apply_starts by cohort")
    grid.add_column("cohort")
    for name in table.policies:
        grid.add_column(name, justify="right")
    for cohort in cohorts:
        key = f"cohort.{cohort}.apply_starts"
        grid.add_row(cohort, *[told(figures.get(key)) for figures in table.policies.values()])
    console.print(grid)


def told(figure: Figure | None) -> str:
    """A figure in a cell.

    >>> told(Figure(0.25, 0.2, 0.3, 0.1, 0.05, 0.15)).splitlines()
    ['0.2500', '+10.0 [+5.0, +15.0]']
    """
    if figure is None:
        return "–"
    digits = 4 if abs(figure.mean) < 10 else 1
    if figure.lift is None:
        return f"{figure.mean:,.{digits}f}"
    ends = ""
    if figure.lift_low is not None and figure.lift_high is not None:
        ends = f" [{100 * figure.lift_low:+.1f}, {100 * figure.lift_high:+.1f}]"
    return f"{figure.mean:,.{digits}f}\n{100 * figure.lift:+.1f}{ends}"
