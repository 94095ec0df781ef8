"""Figures along a log, as lines: in a terminal and as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

BLOCKS: Final = "▁▂▃▄▅▆▇█"
WIDTH: Final = 720
HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 48, 150, 34, 36
FONT: Final = 'font-family="sans-serif" font-size="12"'
COLOURS: Final = ("#0b5fa5", "#b3541e", "#6b6b6b", "#2f7d32", "#7a3e9d")

Series = Mapping[str, Sequence[float]]
"""Name -> one value in [0, 1] a window."""


def bars(values: Sequence[float], top: float) -> str:
    """One character a value, from 0 to `top` > 0.

    >>> bars([0.0, 0.5, 1.0], 1.0)
    '▁▅█'
    """
    last = len(BLOCKS) - 1
    return "".join(BLOCKS[min(last, max(0, round(value / top * last + 0.01)))] for value in values)


def svg(title: str, series: Series, places: Sequence[int]) -> str:
    """Lines over `places`, the first events of the windows."""
    top = max([max(values, default=0.0) for values in series.values()], default=0.0) or 1.0
    span = max(places[-1] - places[0], 1) if places else 1
    inner_w, inner_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(place: int) -> float:
        return LEFT + inner_w * (place - places[0]) / span

    def y(value: float) -> float:
        return TOP + inner_h * (1.0 - value / top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        level = y(top * share)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{level + 4:.1f}" text-anchor="end">{top * share:.2f}</text>')
    if places:
        bottom = HEIGHT - BOTTOM + 18
        parts.append(f'<text x="{LEFT}" y="{bottom}">{places[0]:,}</text>')
        parts.append(f'<text x="{WIDTH - RIGHT}" y="{bottom}" text-anchor="end">{places[-1]:,} events</text>')
    labels = _apart([(y(values[-1]), name) for name, values in series.items() if values])
    for i, (name, values) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if name in labels:
            parts.append(
                f'<text x="{WIDTH - RIGHT + 8}" y="{labels[name] + 4:.1f}" fill="{colour}">{escape(name)}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])


def _apart(labels: list[tuple[float, str]]) -> dict[str, float]:
    """Heights of labels, moved down until none covers another."""
    placed: dict[str, float] = {}
    last = -100.0
    for height, name in sorted(labels):
        last = placed[name] = max(height, last + 15.0)
    return placed
