"""The bounded field types that every message is made of.

Each bound is stated here once. msgspec checks lengths and ranges while it decodes, and its error names the path of the
field at fault (`$.items[3].lat`); control characters are looked for by `schemas/characters.py`, and only in the few
records that can hold any, because a regular expression per field would cost five times the rest of the decoding.
"""

from typing import Annotated, Final

from msgspec import Meta

MAX_ID_CHARS: Final = 128
MAX_TEXT_CHARS: Final = 200_000
MAX_TIMESTAMP_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_PLAIN: Final = {"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_LABELS: Final = {"pattern": r"^[^\u0000-\u001f\u007f]*$"}
_LINES: Final = {"pattern": r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"}

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, extra_json_schema=_PLAIN)]
"""An opaque identifier: 1-128 characters, no control characters. Never parsed, never ordered."""

Word = Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema=_LABELS)]
"""A short label: a brand, a category, a city, a time zone."""

Line = Annotated[str, Meta(max_length=2_000, extra_json_schema=_LINES)]
"""One line of human text: a title, a query, a user agent. Line breaks and tabs are tolerated, no other control
characters."""

Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS, extra_json_schema=_LINES)]
"""Human text of any form: a description."""

Url = Annotated[str, Meta(max_length=2_000, pattern=r"^https?://[^\x00-\x20\x7f-\x9f]+\Z")]
"""An http or https address."""

TimestampMs = Annotated[int, Meta(ge=0, le=MAX_TIMESTAMP_MS)]
"""Milliseconds since the epoch, UTC."""

DurationMs = Annotated[int, Meta(ge=0, le=366 * 86_400_000)]
"""A duration in milliseconds, at most a year: pages are left open for weeks."""

Amount = Annotated[float, Meta(ge=0.0, le=1e12)]
"""A sum of money, in units of its currency."""

Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
"""An ISO 4217 code."""

Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]

Probability = Annotated[float, Meta(ge=0.0, le=1.0)]

Quantity = Annotated[int, Meta(ge=1, le=1_000_000_000)]

Position = Annotated[int, Meta(ge=0, le=100_000)]
"""The place of an item in a list, from 0."""

Words = Annotated[tuple[Word, ...], Meta(max_length=64)]
ItemIds = Annotated[tuple[Id, ...], Meta(max_length=200)]

Scalar = Line | int | float | bool | None
Attributes = Annotated[dict[Word, Scalar | Annotated[list[Line], Meta(max_length=64)]], Meta(max_length=64)]
"""Free fields of a producer's own. Never features unless the settings list them."""
