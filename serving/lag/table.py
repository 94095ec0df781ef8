"""The table of `attune lag`, for a terminal and for the eye at three in the morning: the worst first."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from serving.lag.row import LagRow
from serving.lag.status import Status

BARS = "▁▂▃▄▅▆▇█"
COLOURS = {
    Status.OK: "green",
    Status.WARN: "yellow",
    Status.REWIND: "magenta",
    Status.STALL: "red",
    Status.STOP: "bold red",
}


def sparkline(values: Sequence[int | None]) -> str:
    """One bar per value, scaled to the largest; blank where nothing was known.

    >>> sparkline([None, 0, 5, 10])
    ' ▁▄█'
    """
    top = max((value for value in values if value is not None), default=0)
    return "".join(
        " " if value is None else BARS[value * (len(BARS) - 1) // top + (value > 0 and value * 7 < top) if top else 0]
        for value in values
    )


def duration(seconds: float) -> str:
    """A duration in its two largest units.

    >>> [duration(s) for s in (0, 0.25, 59.6, 75, 3600, 100_000)]
    ['0', '0.2s', '1m 0s', '1m 15s', '1h 0m', '1d 3h']
    """
    if seconds <= 0:
        return "0"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    for unit, size, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "m", 60), ("m", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // part}{smaller}"
    return f"{whole}s"


def summary(rows: Sequence[LagRow]) -> Text:
    """One sentence: what is wrong now, worst first."""
    if not rows:
        return Text("No group has committed anything or has members yet.", style="yellow")
    wrong = [row for row in rows if row.status is not Status.OK]
    lost = sum(row.lost_records for row in rows)
    worst = max(rows, key=lambda row: (row.status, row.lag_s))
    if not wrong:
        text = Text(f"All well: {len({row.group for row in rows})} groups, {sum(row.lag for row in rows):,} records ")
        text.append(f"behind, at most {duration(max(row.lag_s for row in rows))}.")
        text.stylize("green")
    else:
        text = Text(f"{worst.status.name}: {worst.group} on {worst.topic}[{worst.partition}], ", COLOURS[worst.status])
        text.append(f"{worst.lag:,} records and {duration(worst.lag_s)} behind; {len(wrong)} of {len(rows)} ")
        text.append("partitions need attention.")
    if lost:
        text.append(f" {lost:,} records were lost to retention.", style="bold red")
    return text


def table(rows: Sequence[LagRow], limit: int | None = None, width: int = 140) -> Table:
    """The rows, worst first; with `limit` the rest is summed up in the caption.

    `width` is the terminal's, in columns: a narrow one loses the ages of commits, the members and half the sparkline.
    """
    ordered = sorted(rows, key=lambda row: (-row.status, -row.lag_s, -row.lag, row.group, row.topic, row.partition))
    shown = ordered if limit is None else ordered[:limit]
    wide = width >= 120
    out = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("status", "group", "topic"):
        out.add_column(name, no_wrap=True)
    for name in ("part", "lag", "behind", "eta", *(("commit", "members") if wide else ())):
        out.add_column(name, justify="right", no_wrap=True)
    out.add_column("last 10 min" if wide else "10 min", no_wrap=True)
    out.add_column("")
    for row in shown:
        out.add_row(*_cells(row, wide), style="" if row.lag or row.status else "dim")
    if len(shown) < len(ordered):
        rest = ordered[len(shown) :]
        out.caption = f"and {len(rest)} more, {sum(row.lag for row in rest):,} records behind together (--all-rows)"
    return out


def _cells(row: LagRow, wide: bool) -> tuple[str | Text, ...]:
    colour = COLOURS[row.status]
    behind = "0" if not row.lag else ("" if row.exact else "~") + duration(row.lag_s)
    eta = "never" if row.eta_s is None else duration(row.eta_s)
    age = "-" if row.last_commit_age_s is None else duration(row.last_commit_age_s)
    members = "?" if row.members is None else str(row.members)
    values = row.trend if wide else row.trend[::-2][::-1]
    return (
        Text(row.status.name, style=colour),
        Text(row.group),
        Text(row.topic),
        str(row.partition),
        f"{row.lag:,}",
        behind,
        Text(eta, style="red" if row.eta_s is None and row.status is not Status.OK else ""),
        *((age, members) if wide else ()),
        Text(sparkline(values), style=colour),
        Text(row.note, style="bold red" if row.lost_records else "yellow"),
    )
