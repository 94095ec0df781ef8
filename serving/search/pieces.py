"""What was understood of a part of a query."""

from typing import Literal

from msgspec import Struct

from serving.search.filters import Area, Near, Range

Kind = Literal["place", "salary", "price", "remote", "posted", "brand", "category"]


class Piece(Struct, frozen=True):
    """A part of the query, from `start` up to `end`, and what it says.

    `means` is the filter: `Near`, `Area` or, near the person, km for `place`; a `Range` for `salary` (a year's) and
    `price`; yes or no for `remote`; milliseconds for `posted`; names for `brand` and `category`.
    """

    kind: Kind
    start: int
    end: int
    means: Near | Area | Range | bool | int | float | tuple[str, ...]
