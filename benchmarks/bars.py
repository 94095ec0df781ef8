"""A figure beside its bar, one line each: what was asked, what was seen, and whether that is enough."""

from collections.abc import Iterable

from msgspec import Struct


class Bar(Struct, frozen=True):
    """One figure. It holds where it is at most `most`, or at least `least`."""

    name: str
    figure: float
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bar is reached."""
        return (self.most is None or self.figure <= self.most) and (self.least is None or self.figure >= self.least)


def print_bars(bars: Iterable[Bar]) -> None:
    """A table for people; the figures alone are what `--json` is for."""
    print("\n| figure | seen | bar | |\n|---|---|---|---|")
    for bar in bars:
        asked = f"≤ {bar.most:g}" if bar.most is not None else f"≥ {bar.least:g}"
        print(f"| {bar.name} | {bar.figure:g} | {asked} | {'holds' if bar.holds else 'MISSED'} |")
