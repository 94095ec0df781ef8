"""The words of all live items, and which of them someone may have meant by a word that is none of them.

Distance is Damerau's with transpositions of neighbours, each pair once (optimal string alignment; Damerau, CACM 1964).
Who is near is told in two steps: bit sets of letters and of pairs of letters, of which one error changes at most 2 and
6, rule out nearly all words as array arithmetic; the few that remain are compared.
"""

from collections.abc import Iterable
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.growing import grown

SHORTEST: Final = 4
"""Words with fewer letters are taken as they are."""
LONG: Final = 8
"""From so many letters on two errors are thinkable."""
LETTERS_AN_ERROR: Final = 2
PAIRS_AN_ERROR: Final = 6
MOST: Final = 4
COMPARED: Final = 400
"""At most so many words are compared, those of the most items."""

Bits = npt.NDArray[np.uint64]


class Meant(Struct, frozen=True):
    """A word of live items that is `errors` away from what was typed."""

    word: str
    errors: int
    items: int


class Vocabulary:
    """Exact words with the number of live items that have them."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._names: list[str] = []
        self._items: npt.NDArray[np.int32] = np.zeros(256, np.int32)
        self._length: npt.NDArray[np.int16] = np.zeros(256, np.int16)
        self._letters: Bits = np.zeros(256, np.uint64)
        self._pairs: Bits = np.zeros(256, np.uint64)

    def add(self, words: Iterable[str]) -> tuple[int, ...]:
        """Count the distinct words of one item; what is returned takes them out again."""
        codes = tuple([self._code(word) for word in dict.fromkeys(words)])
        for code in codes:
            self._items[code] += 1
        return codes

    def remove(self, codes: Iterable[int]) -> None:
        """The item that `add` returned this for is gone. Its words keep their codes: producers use them again."""
        for code in codes:
            self._items[code] -= 1

    def items(self, word: str) -> int:
        """How many live items have exactly this word."""
        code = self._codes.get(word)
        return 0 if code is None else int(self._items[code])

    def meant(self, word: str) -> list[Meant]:
        """The nearest words, at most `MOST`: fewer errors first, then those of more items."""
        if len(word) < SHORTEST or not self._names:
            return []
        for errors in (1, 2) if len(word) >= LONG else (1,):
            found = self._within(word, errors)
            if found:
                found.sort(key=lambda meant: (meant.errors, -meant.items, meant.word))
                return found[:MOST]
        return []

    def _within(self, word: str, errors: int) -> list[Meant]:
        count = len(self._names)
        near = np.abs(self._length[:count] - len(word)) <= errors
        near &= self._items[:count] > 0
        near &= np.bitwise_count(self._letters[:count] ^ _letters(word)) <= LETTERS_AN_ERROR * errors
        near &= np.bitwise_count(self._pairs[:count] ^ _pairs(word)) <= PAIRS_AN_ERROR * errors
        codes = np.flatnonzero(near)
        if len(codes) > COMPARED:
            codes = codes[np.argpartition(-self._items[codes], COMPARED)[:COMPARED]]
        found: list[Meant] = []
        for code in codes.tolist():
            name = self._names[code]
            if name != word and len(name) >= SHORTEST - 1 and (away := distance(word, name, errors)) <= errors:
                found.append(Meant(name, away, int(self._items[code])))
        return found

    def _code(self, word: str) -> int:
        code = self._codes.get(word)
        if code is None:
            code = self._codes[word] = len(self._names)
            self._names.append(word)
            if code >= len(self._items):
                self._items = grown(self._items, code + 1, 0)
                self._length = grown(self._length, code + 1, 0)
                self._letters = grown(self._letters, code + 1, 0)
                self._pairs = grown(self._pairs, code + 1, 0)
            self._length[code] = len(word)
            self._letters[code], self._pairs[code] = _letters(word), _pairs(word)
        return code


def distance(one: str, other: str, most: int) -> int:
    """Errors between two words, or `most` + 1 where there are more.

    >>> [distance("nurse", other, 2) for other in ("nurse", "nures", "purse", "nursing", "manager")]
    [0, 1, 1, 3, 3]
    """
    start, stop = 0, min(len(one), len(other))
    while start < stop and one[start] == other[start]:
        start += 1
    end = 0
    while end < stop - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    if not one or not other:
        return min(len(one) + len(other), most + 1)
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, opposite in enumerate(other, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != opposite))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == opposite:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], most + 1)


def _letters(word: str) -> np.uint64:
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 63)
    return np.uint64(bits)


def _pairs(word: str) -> np.uint64:
    bits = 0
    for place in range(len(word) - 1):
        bits |= 1 << (crc32(word[place : place + 2].encode()) & 63)
    return np.uint64(bits)
