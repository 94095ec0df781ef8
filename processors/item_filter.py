"""Conditions on items, as people who ask for a list write them: `brand:Acme`, `remote:true`, `salary>=90000`.

Conditions on one field with `:` are alternatives; everything else must hold at once. An item that does not say its
salary or price meets no condition on it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, cast

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.catalogue import Catalogue
from processors.popularity import DAY_MS
from processors.top_list import Rows

PATTERN: Final = (
    r"^(?:(?:brand|category|city|region|country|item):[^\u0000-\u001f\u007f-\u009f]{1,200}|remote:(?:true|false)"
    r"|(?:salary|price)(?:>=|<=)[0-9]{1,9}(?:\.[0-9]{1,2})?|posted<=[0-9]{1,4}d)$"
)
"""The whole grammar; `posted<=7d` means in the last seven days, salaries are a year's."""
_SHAPE: Final = re.compile(PATTERN[:-1] + r"\Z")
_PARTS: Final = re.compile(r"(?P<field>[a-z]+)(?P<operator>:|>=|<=)(?P<value>.*)", re.DOTALL)

Mask = npt.NDArray[np.bool_]


class Condition(Struct, frozen=True):
    """One condition; `value` is a number as text where the operator compares."""

    field: str
    operator: Literal[":", ">=", "<="]
    value: str


def condition(text: str) -> Condition:
    """Read one condition. Raises ValueError that says what it could be.

    >>> condition("salary>=90000")
    Condition(field='salary', operator='>=', value='90000')
    """
    found = _PARTS.match(text) if _SHAPE.match(text) else None
    if found is None:
        raise ValueError(
            f"{text!r} is no condition: brand:…, category:…, city:…, region:…, country:…, item:…, remote:true, "
            "salary>=…, price<=… or posted<=7d"
        )
    operator = cast("Literal[':', '>=', '<=']", found["operator"])
    return Condition(found["field"], operator, found["value"].removesuffix("d") if operator != ":" else found["value"])


def meets(rows: Rows, conditions: Iterable[Condition], now_ms: int, catalogue: Catalogue) -> Mask:
    """Which of `rows` meet all conditions."""
    mask: Mask = np.ones(len(rows), np.bool_)
    alternatives: dict[str, list[str]] = {}
    for wanted in conditions:
        if wanted.operator == ":":
            alternatives.setdefault(wanted.field, []).append(wanted.value)
        else:
            mask &= _compared(rows, wanted, now_ms, catalogue)
    for field, values in alternatives.items():
        mask &= _any_of(rows, field, values, catalogue)
    return mask


def _compared(rows: Rows, wanted: Condition, now_ms: int, catalogue: Catalogue) -> Mask:
    bound = float(wanted.value)
    if wanted.field == "posted":
        posted: Mask = catalogue.posted_ms[rows] >= now_ms - bound * DAY_MS
        return posted
    values = (catalogue.salary_max if wanted.field == "salary" else catalogue.price)[rows]
    compare = np.greater_equal if wanted.operator == ">=" else np.less_equal
    met: Mask = compare(values, bound)
    return met


def _any_of(rows: Rows, field: str, values: Sequence[str], catalogue: Catalogue) -> Mask:
    if field == "remote":
        remote = catalogue.remote[rows] == 1
        asked = {value == "true" for value in values}
        return np.ones(len(rows), np.bool_) if len(asked) == 2 else remote if True in asked else ~remote
    if field == "item":
        return np.isin(rows, [row for value in values if (row := catalogue.row_of(value))])
    if field == "category":
        codes = [code for value in values if (code := catalogue.categories.code(value))]
        held: Mask = np.logical_or.reduce(np.isin(catalogue.category[:, rows], codes), axis=0)
        return held
    if field == "city":
        codes = [code for value in values for code in catalogue.cities_named(value)]
        return np.isin(catalogue.city[rows], codes)
    names, column = {
        "brand": (catalogue.brands, catalogue.brand),
        "region": (catalogue.regions, catalogue.region),
        "country": (catalogue.countries, catalogue.country),
    }[field]
    return np.isin(column[rows], [code for value in values if (code := names.code(value))])
