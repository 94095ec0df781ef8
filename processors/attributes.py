"""Attributes of people as a feature of the learned blend: those alone that the pack's setting `attributes` lists.

What producers write into `attributes` of `users` and `items` is read by nothing, unless the setting names it. Of a
person's listed attributes that have a value, the share whose value the item has too, under the same name, is one more
feature beside those of blend_features.py; it has a weight of 0 until people's choices say otherwise, and is 0 for own
items. With nothing listed there is no such feature at all, in lists, in examples or in rows of `model`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from processors.codes import folded
from processors.growing import grown
from processors.top_list import Rows

FEATURE: Final = "attributes"
VALUES: Final = 4
"""Values of one attribute that count, where it is a list."""
MOST_CHARS: Final = 40

Values = npt.NDArray[np.float64]


def listed_of(attributes: Mapping[str, Any] | None, listed: Sequence[str]) -> dict[str, list[str]]:
    """The listed attributes that have a value: by name, at most `VALUES` of them, as they are compared.

    >>> listed_of({"licence": ["B", "ce "], "age": 61, "night": True}, ("licence", "night", "size"))
    {'licence': ['b', 'ce'], 'night': ['true']}
    """
    found: dict[str, list[str]] = {}
    for name in listed:
        told = (attributes or {}).get(name)
        values = [folded(str(value))[:MOST_CHARS] for value in (told if isinstance(told, list | tuple) else [told])]
        if kept := [value for value in dict.fromkeys(values) if value and value != "none"][:VALUES]:
            found[name] = kept
    return found


class ItemAttributes:
    """The replica's: what items say of the listed attributes, as codes by catalogue row; code 0 is no value."""

    def __init__(self, listed: Sequence[str]) -> None:
        self.listed = tuple(listed)
        self._codes: npt.NDArray[np.int32] = np.zeros((64, len(self.listed), VALUES), np.int32)
        self._known: dict[tuple[str, str], int] = {}

    def put(self, row: int, attributes: Mapping[str, Any] | None) -> None:
        """Take over the attributes of a row's item."""
        self._codes = grown(self._codes, row + 1, 0)
        self._codes[row] = 0
        for name, values in listed_of(attributes, self.listed).items():
            codes = [self._known.setdefault((name, value), len(self._known) + 1) for value in values]
            self._codes[row, self.listed.index(name), : len(codes)] = codes

    def shared(self, rows: Rows, person: Mapping[str, Sequence[str]]) -> Values:
        """By row, in [0, 1]: the share of the person's listed attributes in which the item has a value of theirs."""
        found = np.zeros(len(rows))
        held = [name for name in self.listed if person.get(name)]
        for name in held:
            codes = [code for value in person[name] if (code := self._known.get((name, value), 0))]
            if codes:
                found += np.isin(self._codes[rows, self.listed.index(name)], codes).any(axis=1)
        return found / max(len(held), 1)
