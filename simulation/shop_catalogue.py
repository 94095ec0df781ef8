"""The goods of a seeded shop in columns, and what will happen to them: launches, ends, price changes, sell-outs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulation.draws import Floats, Ints, rng_of
from simulation.employers import Employers, draw_employers
from simulation.goods import DEPARTMENT_OF, DEPARTMENTS, KINDS, PRODUCT_OF, PRODUCTS, USUAL_PRICE, style_name
from simulation.local_time import DAY_MS, START_MS
from simulation.people import HISTORY_DAYS, Bools
from simulation.world import Record

CURRENCY = "EUR"
_EXTRAS = ("Set of 2", "Large", "Small", "Limited Edition", "Refill Pack", "Gift Box")
_TONES = ("", "Grey ", "Blue ", "Green ", "Natural ", "Black ")


@dataclass(frozen=True)
class Change:
    """At `ts_ms` item `row` gets this price (euros) and availability."""

    ts_ms: int
    row: int
    price: float
    available: bool


@dataclass(frozen=True)
class ShopCatalogue:
    """Columns over goods. `price` and `available` are those of the present and are written by the world."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    kind: Ints
    brand: Ints
    brands: Employers
    price: Floats
    full_price: Floats
    available: Bools
    appeal: Floats
    """Of the brand and the thing, standard normal: what everybody likes."""
    posted_ms: Ints
    gone_ms: Ints
    changes: tuple[Change, ...]
    index: dict[str, int] = field(repr=False)

    @property
    def large(self) -> Bools:
        """Whether the brand is a large one."""
        out: Bools = self.brands.large[self.brand]
        return out

    def record(self, i: int) -> Record:
        """The `items` record of good `i` at present."""
        kind = int(self.kind[i])
        department, product = DEPARTMENTS[int(DEPARTMENT_OF[kind])], PRODUCTS[int(PRODUCT_OF[kind])]
        brand = self.brands.names[int(self.brand[i])]
        value: dict[str, Any] = {
            "item_id": self.ids[i],
            "kind": "product",
            "title": self.titles[i],
            "text": f"{self.titles[i]} by {brand}: {', '.join(department.words)}.",
            "brand": brand,
            "categories": [department.name, product.name],
            "tags": [style_name(kind).lower(), "supply" if product.lasts_days else "durable"],
            "price": {"amount": float(self.price[i]), "currency": CURRENCY},
            "posted_ms": int(self.posted_ms[i]),
            "expires_ms": int(self.gone_ms[i]),
            "available": bool(self.available[i]),
            "url": f"https://shop.example/{self.ids[i]}",
        }
        return {"topic": "items", "key": self.ids[i], "value": value}


def draw_goods(seed: int, live: int, days: int) -> ShopCatalogue:
    """About `live` goods at any time; a seventh are launched or end during the run."""
    rng = rng_of(seed, 12)
    count = int(live * 1.15)
    brands = draw_employers(rng, max(24, count // 16), len(DEPARTMENTS), 1)
    brand = np.where(
        rng.random(count) < 0.5,
        rng.choice(np.flatnonzero(brands.large), count),
        rng.choice(np.flatnonzero(~brands.large), count),
    )
    department = np.where(rng.random(count) < 0.8, brands.family[brand], rng.integers(0, len(DEPARTMENTS), count))
    kind = department * (KINDS // len(DEPARTMENTS)) + rng.integers(0, KINDS // len(DEPARTMENTS), count)
    begin = np.where(rng.random(count) < 0.85, -rng.uniform(60, 400, count), rng.uniform(-HISTORY_DAYS, days, count))
    end = np.where(rng.random(count) < 0.87, days + rng.uniform(20, 200, count), begin + rng.uniform(40, 90, count))
    end = np.maximum(end, begin + 30)
    price = np.round(USUAL_PRICE[PRODUCT_OF[kind]] * np.exp(0.3 * rng.standard_normal(count))) + 0.95
    appeal = 0.6 * rng.standard_normal(len(brands.names))[brand] + 0.9 * rng.standard_normal(count)
    ids = tuple(f"g{i:05d}" for i in range(count))
    tones, extras = rng.integers(0, len(_TONES), count), rng.integers(0, 2 * len(_EXTRAS), count)
    return ShopCatalogue(
        ids=ids,
        titles=tuple(_title(int(kind[i]), int(tones[i]), int(extras[i])) for i in range(count)),
        kind=kind.astype(np.int64),
        brand=brand.astype(np.int64),
        brands=brands,
        price=price.copy(),
        full_price=price,
        available=np.ones(count, dtype=np.bool_),
        appeal=appeal,
        posted_ms=(START_MS + begin * DAY_MS).astype(np.int64),
        gone_ms=(START_MS + end * DAY_MS).astype(np.int64),
        changes=_changes(rng, price, days),
        index={name: i for i, name in enumerate(ids)},
    )


def _title(kind: int, tone: int, extra: int) -> str:
    """Style, product, colour and form.

    >>> _title(PRODUCT_OF.tolist().index(5), 0, 99)
    'Oak Dining Chair'
    """
    tail = f", {_EXTRAS[extra]}" if extra < len(_EXTRAS) else ""
    return f"{_TONES[tone]}{style_name(kind)} {PRODUCTS[int(PRODUCT_OF[kind])].name}{tail}"


def _changes(rng: np.random.Generator, price: Floats, days: int) -> tuple[Change, ...]:
    """Sales at 15 to 40% off, lasting rises, and sell-outs of some days; half of all items change in six weeks."""
    found = []
    for row in np.flatnonzero(rng.random(price.size) < min(0.9, 0.5 * days / 42)).tolist():
        at, full = rng.uniform(0, days), float(price[row])
        ts, form = START_MS + int(at * DAY_MS), rng.random()
        after = ts + int(rng.uniform(3, 10) * DAY_MS)
        if form < 0.5:
            found += [Change(ts, row, round(full * rng.uniform(0.6, 0.85), 2), True), Change(after, row, full, True)]
        elif form < 0.65:
            found.append(Change(ts, row, round(full * rng.uniform(1.04, 1.15), 2), True))
        else:
            found += [Change(ts, row, full, False), Change(after, row, full, True)]
    return tuple(sorted(found, key=lambda change: (change.ts_ms, change.row)))
