"""Numbers and times as people read them: Jinja's filters."""

import time
from typing import Any

import msgspec


def ago(at_s: float | None, now_s: float) -> str:
    """How long ago.

    >>> ago(100.0, 103.0), ago(0.0, 7_300.0), ago(None, 1.0)
    ('3 s', '2 h', 'never')
    """
    return "never" if at_s is None else span(max(now_s - at_s, 0.0))


def span(seconds: float | None) -> str:
    """A length of time in its largest unit.

    >>> span(0.04), span(3.21), span(90), span(None)
    ('40 ms', '3.2 s', '2 min', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size * 1.5 or (seconds >= size and unit != "min"):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def count(number: float | None) -> str:
    """With commas.

    >>> count(12345.0), count(0.25), count(None)
    ('12,345', '0.25', '–')
    """
    if number is None:
        return "–"
    return f"{number:,.0f}" if number == round(number) or abs(number) >= 100 else f"{number:,.2f}"


def share(part: float | None) -> str:
    """A part of one.

    >>> share(0.0123), share(None)
    ('1.2%', '–')
    """
    return "–" if part is None else f"{part:.1%}"


def moment(ts_ms: float | None) -> str:
    """UTC, to the second.

    >>> moment(1_700_000_000_000)
    '2023-11-14 22:13:20'
    """
    return "never" if not ts_ms else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ts_ms / 1000))


def cut(text: Any, length: int = 160) -> str:
    """At most so many characters; what was cut is said.

    >>> cut("abcdef", 3)
    'abc… (6 characters)'
    """
    shown = str(text)
    return shown if len(shown) <= length else f"{shown[:length]}… ({len(shown):,} characters)"


def pretty(value: Any) -> str:
    """JSON for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


FILTERS = {"span": span, "count": count, "share": share, "moment": moment, "cut": cut, "pretty": pretty}
