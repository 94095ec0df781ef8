"""Queries made of titles, for logs that hold none. What is drawn follows from the item's id, not the file's order."""

from __future__ import annotations

import re
from hashlib import blake2b
from string import ascii_lowercase
from typing import Final

from msgspec import Struct

from schemas.catalogue import Item

WORDS: Final = 3
FIRST_WORDS: Final = 2
TYPO_CHARS: Final = 4
"""A typing error is made in a word of so many letters, where the query has one."""

_WORD: Final = re.compile(r"[^\W_]+")


class KnownItem(Struct, frozen=True):
    """What someone types who looks for one item that they know: three words of its title, and the same mistyped."""

    item_id: str
    query: str
    mistyped: str


def known_item(item: Item) -> KnownItem | None:
    """Three different words of the title, in its order; None where it has fewer.

    >>> item = Item(item_id="a", title="Night Nurse, Intensive Care")
    >>> known_item(item)
    KnownItem(item_id='a', query='Night Nurse Care', mistyped='Night Nruse Care')
    """
    words = list({word.casefold(): word for word in reversed(_WORD.findall(item.title))}.values())[::-1]
    if len(words) < WORDS:
        return None
    draw = _Draw(item.item_id)
    places = sorted(sorted(range(len(words)), key=lambda place: draw.below(1 << 40, f"word {place}"))[:WORDS])
    chosen = [words[place] for place in places]
    long = [place for place, word in enumerate(chosen) if len(word) >= TYPO_CHARS]
    wrong = long[draw.below(len(long), "place")] if long else max(range(WORDS), key=lambda at: len(chosen[at]))
    mistyped = [_mistyped(word, draw) if place == wrong else word for place, word in enumerate(chosen)]
    return KnownItem(item.item_id, " ".join(chosen), " ".join(mistyped))


def first_words(title: str) -> str | None:
    """The first two words of a title; None where it has only one.

    >>> first_words("Sr. Software-Engineer (m/f)")
    'Sr Software'
    """
    words = _WORD.findall(title)[:FIRST_WORDS]
    return " ".join(words) if len(words) == FIRST_WORDS else None


def _mistyped(word: str, draw: _Draw) -> str:
    """One letter left out, added, replaced, or changed with its neighbour (Damerau, CACM 1964: 80% of all errors)."""
    at = draw.below(len(word), "letter")
    other = ascii_lowercase[draw.below(26, "other")]
    if other == word[at].lower():
        other = ascii_lowercase[(ascii_lowercase.index(other) + 1) % 26]
    kind = draw.below(4, "kind")
    at = min(at, len(word) - 2) if kind == 3 and len(word) > 1 else at
    if kind == 3 and len(word) > 1 and word[at].lower() != word[at + 1].lower():
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 0 and len(word) > 1:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + other + word[at:]
    return word[:at] + other + word[at + 1 :]


class _Draw:
    """Numbers that follow from an item's id alone."""

    def __init__(self, item_id: str) -> None:
        self._item_id = item_id

    def below(self, many: int, what: str) -> int:
        hashed = blake2b(f"known-item|{self._item_id}|{what}".encode(), digest_size=8).digest()
        return int.from_bytes(hashed, "big") % many
