"""Sums of money as people type them: `$90k`, `15.50 an hour`, `€ 3,000/month`, `90-120k`, `at least 50`, `under £20`.

What a number means follows from what stands beside it. A number with a unit of something else (`55 inch`, `5 years`)
is no money, and in a catalogue of jobs a bare small number is none either (`over 50`, `under 18`: ages).
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from processors.catalogue import yearly_salary
from schemas.catalogue import Salary
from serving.search.filters import Range
from serving.search.pieces import Piece

Domain = Literal["jobs", "shop"]

CURRENCIES: Final = {
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "buck": "USD", "bucks": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY", "₹": "INR", "inr": "INR", "rupees": "INR", "rs": "INR",
    "chf": "CHF", "francs": "CHF", "cad": "CAD", "c$": "CAD", "aud": "AUD", "a$": "AUD", "nzd": "NZD",
    "sek": "SEK", "nok": "NOK", "dkk": "DKK", "pln": "PLN", "zł": "PLN", "brl": "BRL", "r$": "BRL", "sgd": "SGD",
}  # fmt: skip
PERIODS: Final[dict[str, Literal["hour", "day", "week", "month", "year"]]] = {
    "hour": "hour", "hr": "hour", "hrs": "hour", "h": "hour", "hourly": "hour",
    "day": "day", "daily": "day",
    "week": "week", "wk": "week", "weekly": "week",
    "month": "month", "mo": "month", "monthly": "month",
    "year": "year", "yr": "year", "y": "year", "annum": "year", "yearly": "year", "annually": "year", "pa": "year",
    "p.a": "year", "annual": "year", "ph": "hour",
}  # fmt: skip
FACTORS: Final = {"k": 1e3, "grand": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6}
A_YEAR_AND_MORE: Final = 10_000.0
A_MONTH_AND_MORE: Final = 1_000.0
A_WEEK_AND_MORE: Final = 250.0
"""What a salary without a period is for: below a week's it is an hour's."""
LEAST_BARE_K: Final = 20_000.0
"""A salary that stands alone (`90k python`) is at least so much: `5k` and `10k` are runs."""
ABOUT: Final = (0.8, 1.2)
MOST: Final = 1e12

_SYMBOL: Final = r"(?:us\$|c\$|a\$|r\$|[$€£¥₹])"
_CODE: Final = (
    r"(?:usd|eur|gbp|jpy|inr|chf|cad|aud|nzd|sek|nok|dkk|pln|zł|brl|sgd|dollars?|euros?|pounds?|bucks?|quid|yen"
    r"|rupees|rs|francs)(?![a-z])"
)
_NUMBER: Final = r"(?:\d{1,3}(?:[,.' ]\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d{1,12}(?:[.,]\d{1,2}(?!\d))?)"
_FACTOR: Final = r"(?:k|grand|thousand|mio|million|m)(?![a-z0-9])"
_PERIOD: Final = (
    r"(?:(?:\s*/\s*|\s*per\s+|\s+an?\s+|\s+each\s+)(?:hour|hr|h|day|week|wk|month|mo|year|yr|y|annum)"
    r"|\s+(?:hourly|daily|weekly|monthly|yearly|annually|annual|p\.a|pa|a\.?year)|\s?ph)(?![a-z])\.?"
)


def _sum(name: str) -> str:
    return (
        rf"(?P<{name}_sign>{_SYMBOL}|{_CODE}\s)?\s*(?P<{name}_number>{_NUMBER})(?:\s?(?P<{name}_factor>{_FACTOR}))?"
        rf"(?:\s?(?P<{name}_code>{_CODE}|{_SYMBOL}(?!\s?\d)))?(?P<{name}_period>{_PERIOD})?"
    )


_LEAST: Final = (
    r"over|above|more\s+than|greater\s+than|higher\s+than|at\s+least|no\s+less\s+than|not\s+less\s+than|min(?:imum)?"
    r"(?:\s+of)?|starting\s+(?:at|from)|upwards?\s+of|exceeding|from|>=?|≥|paying|earn(?:ing)?|making"
)
_MOST: Final = (
    r"under|below|less\s+than|lower\s+than|cheaper\s+than|at\s+most|no\s+more\s+than|not\s+more\s+than|not\s+over"
    r"|max(?:imum)?(?:\s+of)?|up\s+to|upto|<=?|≤|within"
)
_ABOUT: Final = r"about|around|approx(?:imately)?\.?|roughly|circa|~"
_AFTER_LEAST: Final = r"\+|\s*(?:or|and)\s+(?:more|up|above|over|higher|upwards?)|\s*(?:min|minimum|plus)\b"
_AFTER_MOST: Final = r"\s*(?:or|and)\s+(?:less|under|below|lower|cheaper)|\s*(?:max|maximum|tops)\b"
_SALARY: Final = r"salary|salaries|pay|pays|paying|paid|wages?|earn|earning|earnings|compensation|income|rate|making"
_PRICE: Final = r"price|prices|priced|cost|costs|costing|budget"
_CUE: Final = rf"(?P<cue>(?:{_SALARY}|{_PRICE})(?:\s*(?::|is|of|range))?\s+)?(?:(?:for|with|a|an)\s+)?"
_CUE_AFTER: Final = r"(?P<after>\s+(?:base\s+)?(?:salary|salaries|wages?|pay|compensation|income|budget|price)\b)?"
_NOT_INSIDE: Final = r"(?<![\w.,$€£-])"
_NOT_MORE: Final = (
    r"(?![\d]|[.,]\d|\s?(?:%|\"|″|inch|inches|in\b(?!\s+[a-z])|cm|mm|ft|feet|foot|kg|g\b|grams?|lbs?|oz|ml|l\b|lit(?:er|re)s?"
    r"|[gtm]b\b|mp\b|m?hz|[kg]hz|watts?|w\b|volts?|v\b|m?ah\b|years?\b|yrs?\b|months?\b|days?\b|hours?\b|hrs?\b|min(?:ute)?s?\b"
    r"|weeks?\b|people|persons?|pieces|pcs|packs?\b|percent|degrees|mph|kmh|calories|kcal|pages|players|employees|beds?"
    r"|seats?|miles?\b|mi\b|km\b|kilomet|met(?:er|re)s?\b|s\b|st\b|nd\b|rd\b|th\b|stars?\b|mins?\b|seconds?\b|lumens?|dpi|mbps"
    r"|hp\b|cc\b|ply\b|count\b|thread|times?\b|x\b|wheels?|speeds?|doors?|rooms?|bedrooms?|inches\b)|-[a-z])"
)

_BETWEEN: Final = re.compile(
    rf"{_NOT_INSIDE}{_CUE}(?:(?P<word>between|from)\s+)?{_sum('low')}\s*(?:-|–|—|to|and|until|till)\s*{_sum('high')}"
    rf"{_CUE_AFTER}{_NOT_MORE}"
)
_BOUND: Final = re.compile(
    rf"{_NOT_INSIDE}{_CUE}(?:(?P<least>{_LEAST})|(?P<most>{_MOST})|(?P<about>{_ABOUT}))\s*{_sum('one')}{_CUE_AFTER}{_NOT_MORE}"
)
_SUFFIXED: Final = re.compile(
    rf"{_NOT_INSIDE}{_CUE}{_sum('one')}(?:(?P<least>{_AFTER_LEAST})|(?P<most>{_AFTER_MOST})){_CUE_AFTER}{_NOT_MORE}(?!\w)"
)
_ALONE: Final = re.compile(rf"{_NOT_INSIDE}{_CUE}{_sum('one')}{_CUE_AFTER}{_NOT_MORE}(?!\w)")


class _Sum(Struct, frozen=True):
    amount: float
    has_factor: bool
    currency: str | None
    period: str | None

    @property
    def is_marked(self) -> bool:
        """Whether it can be nothing but money."""
        return self.currency is not None or self.period is not None

    def yearly(self) -> float:
        period = self.period
        if period is None:
            amount = self.amount
            period = (
                "year"
                if amount >= A_YEAR_AND_MORE
                else "month"
                if amount >= A_MONTH_AND_MORE
                else "week"
                if amount >= A_WEEK_AND_MORE
                else "hour"
            )
        return yearly_salary(Salary(min=self.amount, period=PERIODS[period]))


def money(text: str, domain: Domain) -> Iterator[Piece]:
    """The sums in a text in lower case, with where they stand; taken pieces must be blanked out before."""
    for pattern in (_BETWEEN, _BOUND, _SUFFIXED, _ALONE):
        for match in pattern.finditer(text):
            piece = _piece(pattern, match, domain)
            if piece is not None:
                text = text[: piece.start] + "\x00" * (piece.end - piece.start) + text[piece.end :]
                yield piece
        # positions stay the same, so that what one pattern took is hidden from the next


def _piece(pattern: re.Pattern[str], match: re.Match[str], domain: Domain) -> Piece | None:
    told = match.groupdict()
    if pattern is _BETWEEN:
        low, high = _read(match, "low"), _read(match, "high")
        low, high = _alike(low, high)
        if low.amount > high.amount or not (_stands(told, high, domain) or told["word"] == "between"):
            return None
        if (
            not (high.is_marked or high.has_factor)
            and not _cued(told)
            and domain == "jobs"
            and high.amount < A_YEAR_AND_MORE
        ):
            return None
        is_salary = domain == "jobs" and low.amount >= A_YEAR_AND_MORE
        if not (high.is_marked or high.has_factor or _cued(told) or told["word"] or is_salary):
            return None
        return _made(match, told, low, high, domain)
    one = _read(match, "one")
    if pattern is _ALONE:
        is_large = (one.has_factor and one.amount >= LEAST_BARE_K) or (
            one.currency is not None and one.amount >= A_YEAR_AND_MORE
        )
        is_salary = one.period is not None or (domain == "jobs" and is_large)
        is_said = _cued(told) and (one.is_marked or one.has_factor or one.amount >= A_YEAR_AND_MORE)
        if not (is_salary or is_said) or match.group().startswith("401k"):
            return None
        if domain == "shop" and not is_said:
            return None
        return _made(match, told, one, None, domain)
    if not _stands(told, one, domain):
        return None
    if told.get("about"):
        low, high = (_Sum(one.amount * share, one.has_factor, one.currency, one.period) for share in ABOUT)
        return _made(match, told, low, high, domain)
    return _made(match, told, one, None, domain) if told["least"] else _made(match, told, None, one, domain)


def _stands(told: dict[str, str | None], one: _Sum, domain: Domain) -> bool:
    """Whether a bounded number is money."""
    if one.is_marked or one.has_factor or _cued(told):
        return True
    return domain == "shop" or one.amount >= A_YEAR_AND_MORE


def _cued(told: dict[str, str | None]) -> bool:
    return bool(
        told.get("cue") or told.get("after") or (told.get("least") or "") in {"paying", "earning", "earn", "making"}
    )


def _made(
    match: re.Match[str], told: dict[str, str | None], low: _Sum | None, high: _Sum | None, domain: Domain
) -> Piece:
    either = high or low
    assert either is not None
    cue = f"{told.get('cue') or ''} {told.get('after') or ''}"
    is_salary = domain == "jobs" or bool(re.search(r"salar|wage|compensation|income", cue))
    is_salary = (is_salary or either.period is not None) and not re.search(rf"\b(?:{_PRICE})\b", cue)
    scaled = _Sum.yearly if is_salary else _amount
    found = Range(
        least=None if low is None else min(scaled(low), MOST),
        most=None if high is None else min(scaled(high), MOST),
        currency=either.currency or (low.currency if low is not None else None),
    )
    return Piece("salary" if is_salary else "price", match.start(), match.end(), found)


def _amount(one: _Sum) -> float:
    return one.amount


def _read(match: re.Match[str], name: str) -> _Sum:
    sign, code = (match[f"{name}_sign"] or "").strip(), (match[f"{name}_code"] or "").strip()
    factor, period = match[f"{name}_factor"], match[f"{name}_period"]
    unit = PERIODS[period.strip(" /.").split()[-1].split("/")[-1]] if period else None
    return _Sum(
        _number(match[f"{name}_number"]) * FACTORS.get(factor or "", 1.0),
        factor is not None,
        CURRENCIES.get(sign or code),
        unit,
    )


def _alike(low: _Sum, high: _Sum) -> tuple[_Sum, _Sum]:
    """`90-120k` and `$15 to 20 an hour`: what the one says holds for both."""
    low_amount = low.amount
    if high.has_factor and not low.has_factor and low.amount < high.amount / 100.0:
        low_amount *= FACTORS["k"] if high.amount < FACTORS["m"] else FACTORS["m"]
    currency, period = low.currency or high.currency, low.period or high.period
    has_factor = low.has_factor or high.has_factor
    return _Sum(low_amount, has_factor, currency, period), _Sum(high.amount, has_factor, currency, period)


def _number(text: str) -> float:
    """Thousands may be grouped by comma, point, blank or apostrophe; one or two last digits are a fraction.

    >>> [_number(text) for text in ("90,000", "1.200,50", "15.5", "90 000")]
    [90000.0, 1200.5, 15.5, 90000.0]
    """
    fraction = re.search(r"[.,](\d{1,2})$", text)
    whole = re.sub(r"\D", "", text[: fraction.start()] if fraction else text)
    return float(f"{whole or 0}.{fraction[1] if fraction else 0}")
