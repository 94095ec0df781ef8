"""Shoppers: hidden tastes over goods and styles that drift, budgets, brands, and what they own or run out of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Floats, Ints, rng_of
from simulation.goods import (
    DEPARTMENT_OF,
    DEPARTMENTS,
    KINDS,
    LASTS_DAYS,
    PRODUCT_OF,
    PRODUCTS,
    STYLE_OF,
    STYLES_PER_DEPARTMENT,
    complements,
)
from simulation.people import MISLED, SPARSE, People

_BABY = next(n for n, d in enumerate(DEPARTMENTS) if d.name == "baby")
_COMPLEMENT_DAYS = 21.0


@dataclass(frozen=True)
class Shoppers:
    """Columns over people; tastes are logits per kind, `before` and `after` the switch, turning to `later`."""

    before: Floats
    after: Floats
    later: Floats
    drift_per_day: Floats
    """Radians a day by which taste turns towards `later`."""
    budget: Floats
    """Log of what they like to pay over the usual price."""
    price_weight: Floats
    bargain: Floats
    """How a sale interacts with taste: logits for 100% off."""
    loyalty: Floats
    """Logits for the very item that was bought last time, where supplies are concerned."""
    department: Ints
    style: Ints


def draw_shoppers(seed: int, people: People) -> Shoppers:
    """Everybody's tastes; new parents (SPARSE) turn to baby goods, gift buyers (MISLED) bought for others before."""
    rng = rng_of(seed, 32)
    users = len(people.ids)
    sharp = rng.uniform(0.9, 1.15)
    department = rng.choice(len(DEPARTMENTS), users, p=rng.dirichlet(np.full(len(DEPARTMENTS), 6.0)))
    old = department.copy()
    parents, misled = people.cohort == SPARSE, people.cohort == MISLED
    old[misled] = (department[misled] + rng.integers(2, len(DEPARTMENTS) - 2, int(misled.sum()))) % len(DEPARTMENTS)
    department[parents] = _BABY
    style = rng.integers(0, STYLES_PER_DEPARTMENT, users)
    second = (department + rng.integers(1, len(DEPARTMENTS), users)) % len(DEPARTMENTS)
    embedding = 0.3 * rng.standard_normal((6, KINDS))
    own = rng.standard_normal((users, 6)) @ embedding
    products = 0.8 * rng.standard_normal((users, len(PRODUCTS)))
    return Shoppers(
        before=_taste(old, style, second, products, own, sharp),
        after=_taste(department, style, second, products, own, sharp),
        later=_taste(second, (style + 1) % STYLES_PER_DEPARTMENT, department, products, own, sharp),
        drift_per_day=rng.gamma(1.2, 0.008, users),
        budget=0.25 * rng.standard_normal(users),
        price_weight=rng.gamma(3.0, 0.5, users),
        bargain=rng.gamma(2.0, 1.2, users),
        loyalty=rng.gamma(4.0, 0.8, users),
        department=old.astype(np.int64),
        style=style.astype(np.int64),
    )


def _taste(department: Ints, style: Ints, second: Ints, products: Floats, own: Floats, sharp: float) -> Floats:
    """Logits over kinds: a department and a style in it (their interaction most), a second department, and whims."""
    in_department = DEPARTMENT_OF[None, :] == department[:, None]
    in_style = STYLE_OF[None, :] == style[:, None]
    in_second = DEPARTMENT_OF[None, :] == second[:, None]
    logits = 1.7 * in_department + 1.5 * (in_department & in_style) + 1.0 * in_second + 0.6 * (in_second & in_style)
    logits = logits + 1.9 * (LASTS_DAYS[PRODUCT_OF] > 0)[None, :]
    out: Floats = sharp * (logits + products[:, PRODUCT_OF] + own)
    return out


class Cupboard:
    """What one person owns, by product: the source of complements, substitutes and running out."""

    _COMPLEMENTS = complements()

    def __init__(self) -> None:
        self._bought_day = np.full(len(PRODUCTS), -np.inf)
        self.last_row: Ints = np.full(len(PRODUCTS), -1, dtype=np.int64)

    def put(self, product: int, row: int, day: float) -> None:
        """Bought on `day`."""
        self._bought_day[product] = day
        self.last_row[product] = row

    def appetite(self, day: float) -> float:
        """Share of the usual wish to buy that is left after the last order; within an order it is whole."""
        since = day - float(self._bought_day.max())
        return 1.0 if since < 0.1 else 1.0 - 0.85 * float(np.exp2(-since / 12.0))

    def runs_out(self, day: float) -> int | None:
        """The row of the supply that is most overdue, if one is."""
        used = np.where(LASTS_DAYS > 0, (day - self._bought_day) / np.maximum(LASTS_DAYS, 1.0), 0.0)
        used = np.where(np.isfinite(used), used, 0.0)
        most = int(used.argmax())
        return int(self.last_row[most]) if 0.65 < used[most] < 5.0 else None

    def wants(self, day: float) -> Floats:
        """Logits per product: what is owned is not bought again, supplies are once used up, complements are missed.

        >>> cupboard = Cupboard()
        >>> cupboard.put(0, 7, 0.0)  # a sofa
        >>> [round(float(v), 1) for v in cupboard.wants(1.0)[:3]]
        [-3.5, 2.3, 2.3]
        """
        age = np.maximum(day - self._bought_day, 0.0)
        owned = np.isfinite(age)
        age = np.where(owned, age, 0.0)
        left = np.where(LASTS_DAYS > 0, age / np.maximum(LASTS_DAYS, 1.0), 0.0)
        supply = np.where(left < 0.5, -3.0, np.minimum(2.5, -3.0 + 11.0 * (left - 0.5)) * np.exp2(-left / 6.0))
        again = np.where(LASTS_DAYS > 0, supply, -3.5 * np.exp2(-age / 250.0))
        missed = (owned * np.exp2(-age / _COMPLEMENT_DAYS)) @ self._COMPLEMENTS
        missed = np.where(owned, 0.0, np.minimum(missed, 2.6))
        out: Floats = np.where(owned, again, 0.0) + missed
        return out
