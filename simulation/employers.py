# ruff: noqa: E501, SIM905 -- tables of words, read better as text
"""Employers and brands: invented names, a few large ones that are everywhere and many small ones of one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Ints

_FIRST = (
    "Alder Beacon Cedar Dunmore Elmfield Fairway Garnet Harbor Ironwood Juniper Kestrel Lakeside Maple Northgate Orchard Pinecrest "
    "Quarry Riverside Summit Thornton Union Vista Westbrook Yarrow Zephyr Ashford Birchwood Clearwater Dovetail Evergreen Foxglove "
    "Granite Hollins Inverness Jasper Kingsley Linden Meridian Nightingale Oakmont"
).split()
_SECOND = (
    "Group,Partners,Services,& Sons,Collective,Company,Works,House,Associates,Solutions,Network,Brothers,Alliance,Holdings,Studio,Supply"
).split(",")


@dataclass(frozen=True)
class Employers:
    """Columns over employers. `metro` is -1 for large employers, which hire everywhere."""

    names: tuple[str, ...]
    family: Ints
    metro: Ints
    large: np.ndarray[tuple[int], np.dtype[np.bool_]]


def draw_employers(rng: np.random.Generator, count: int, families: int, metros: int) -> Employers:
    """`count` employers with unique names; about one in twelve is large."""
    pairs = rng.permutation(len(_FIRST) * len(_SECOND))
    names = []
    for n in range(count):
        pair = int(pairs[n % len(pairs)])
        turn = n // len(pairs)
        name = f"{_FIRST[pair % len(_FIRST)]} {_SECOND[pair // len(_FIRST)]}"
        names.append(f"{name} {turn + 1}" if turn else name)
    large = np.arange(count) < max(families, count // 12)
    metro = np.where(large, -1, rng.integers(0, metros, count))
    family = np.where(np.arange(count) < families, np.arange(count) % families, rng.integers(0, families, count))
    return Employers(tuple(names), family.astype(np.int64), metro.astype(np.int64), large)
