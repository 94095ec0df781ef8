"""Which items read alike: words of title, brand and categories, weighed by rarity, in bounded lists.

An item keeps its twelve rarest words (title words first; labels weigh half). A word lists the latest 256 live items
that have it. The similarity of an item to a text is the share of the text's weight that both have in common, weighed
by idf (Spärck Jones: A statistical interpretation of term specificity, 1972), times √(words of the text / words of the
item) where the item is the longer one.

Neighbour lists are computed when first asked for and kept. A kept list is used only while nothing that it depends on
has changed: each word counts the changes of its list, and the sum over the item's words must be the same. So what
`neighbours` returns is a function of the items put and removed so far, never of when it was asked before.
"""

from array import array
from contextlib import suppress
from math import log2
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.growing import grown
from processors.top_list import Rows
from processors.words import words
from schemas.catalogue import Item

Similarities = npt.NDArray[np.float32]

MAX_WORDS: Final = 12
MAX_LISTED: Final = 256
MAX_NEIGHBOURS: Final = 64
MAX_CACHED: Final = 16_384
LABEL_WEIGHT: Final = 0.5
LEAST: Final = 0.1
"""A similarity below this is none."""

NOTHING: Final[tuple[Rows, Similarities]] = (np.zeros(0, np.intp), np.zeros(0, np.float32))


_PLACES: Final = np.arange(MAX_WORDS)
_UNINDEXED: Final = -1


class TextIndex:
    """An inverted index over catalogue rows."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._names: list[str] = [""]
        self._free: list[int] = []
        self._listed: list[array[int]] = [array("i")]
        self._frequency: array[int] = array("i", [1])
        self._changes: list[int] = [0]
        self._words: npt.NDArray[np.int32] = np.zeros((64, MAX_WORDS), np.int32)
        """By row, the codes of its words, title words first; code 0 is no word."""
        self._of_title: npt.NDArray[np.int8] = np.full(64, _UNINDEXED, np.int8)
        """By row, how many of its words are title words."""
        self._indexed = 0
        self._lengths: npt.NDArray[np.float32] = np.ones(64, np.float32)
        self._last: npt.NDArray[np.intp] = np.zeros(64, np.intp)
        """By row, where it was named last while similar rows were looked for; of no use after."""
        self._columns: npt.NDArray[np.intp] = np.zeros(64, np.intp)
        """By word, a column of the table that `alike_within` makes; of no use after."""
        self._cache: dict[int, tuple[list[int], int, Rows, Similarities]] = {}
        """By row, codes of its words, the changes of their lists, and what was found then."""

    def put(self, row: int, item: Item) -> None:
        """Index an item, in place of what the row held."""
        title = words(item.title)
        known = set(title)
        labels = [word for label in (item.brand or "", *item.categories) for word in words(label) if word not in known]
        if row < len(self._of_title) and self._of_title[row] != _UNINDEXED:
            if self._unchanged(row, title, labels):
                return
            self.remove(row)
        rarest = sorted(title, key=self._rarity)[:MAX_WORDS]
        count = len(rarest)
        if count < MAX_WORDS and labels:
            rarest += sorted(dict.fromkeys(labels), key=self._rarity)[: MAX_WORDS - count]
        if row >= len(self._last):
            self._words = grown(self._words, row + 1, 0)
            self._of_title = grown(self._of_title, row + 1, _UNINDEXED)
            self._lengths = grown(self._lengths, row + 1, 1.0)
            self._last = grown(self._last, row + 1, 0)
        codes = [self._code(word) for word in rarest]
        for code in codes:
            listed = self._listed[code]
            listed.append(row)
            if len(listed) > 2 * MAX_LISTED:
                del listed[:MAX_LISTED]
            self._frequency[code] += 1
            self._changes[code] += 1
        self._words[row, : len(codes)] = codes
        self._of_title[row] = count
        self._indexed += 1
        self._lengths[row] = max(len(codes), 1)

    def remove(self, row: int) -> None:
        """Forget a row's item."""
        self._cache.pop(row, None)
        if row >= len(self._of_title) or self._of_title[row] == _UNINDEXED:
            return
        codes = self._codes_of(row)
        self._words[row] = 0
        self._of_title[row] = _UNINDEXED
        self._indexed -= 1
        for code in codes:
            listed = self._listed[code]
            with suppress(ValueError):  # the list had no room for it any more
                listed.remove(row)
            self._changes[code] += 1
            self._frequency[code] -= 1
            if not self._frequency[code]:
                del self._codes[self._names[code]]
                del listed[:]
                self._free.append(code)

    def neighbours(self, row: int) -> tuple[Rows, Similarities]:
        """The rows that read most like this row's item, itself left out, the most similar first."""
        cached = self._cache.get(row)
        if cached is not None and cached[1] == self._version(cached[0]):
            return cached[2], cached[3]
        if row >= len(self._of_title) or self._of_title[row] == _UNINDEXED:
            return NOTHING
        codes = self._codes_of(row)
        rows, similarities = self._similar(codes, int(self._of_title[row]))
        other = (rows != row).nonzero()[0]
        rows, similarities = rows.take(other), similarities.take(other)
        if len(rows) > MAX_NEIGHBOURS:
            near = (-similarities).argpartition(MAX_NEIGHBOURS)[:MAX_NEIGHBOURS]
            rows, similarities = rows.take(near), similarities.take(near)
        order = np.lexsort((-rows, -similarities))
        rows, similarities = rows.take(order), similarities.take(order)
        self._cache.pop(row, None)
        self._cache[row] = (codes, self._version(codes), rows, similarities)
        if len(self._cache) > MAX_CACHED:
            del self._cache[next(iter(self._cache))]
        return rows, similarities

    def alike_within(self, rows: Rows) -> npt.NDArray[np.float64]:
        """How much each two of some rows' items read alike: the cosine of their words, weighed by idf; 1 with itself.

        An item without words is like no other.
        """
        held = self._words.take(rows, axis=0)[:, : int(self._lengths.take(rows).max(initial=1.0))]
        scale = float(1 << self._indexed.bit_length())
        weights = np.log2(1.0 + scale / np.frombuffer(self._frequency, np.int32).take(held))
        weights *= np.where(_PLACES[: held.shape[1]] < self._of_title.take(rows)[:, None], 1.0, LABEL_WEIGHT)
        weights[held == 0] = 0.0
        if len(self._columns) < len(self._names):
            self._columns = grown(self._columns, len(self._names), 0)
        self._columns[held] = np.arange(held.size).reshape(held.shape)
        lengths = np.sqrt(np.einsum("ij,ij->i", weights, weights))
        weights /= np.where(lengths > 0.0, lengths, 1.0)[:, None]
        table = np.zeros((len(rows), held.size))
        table[np.arange(len(rows))[:, None], self._columns.take(held)] = weights  # a column for each word
        similarities: npt.NDArray[np.float64] = table @ table.T
        return similarities

    def search(self, text: str) -> tuple[Rows, Similarities]:
        """The rows that have to do with a text."""
        asked = [self._codes[word] for word in words(text) if word in self._codes]
        missing = sum(1 for word in words(text) if word not in self._codes)
        return self._similar(asked, len(asked), missing) if asked else NOTHING

    def _similar(self, codes: list[int], count: int, missing: int = 0) -> tuple[Rows, Similarities]:
        """Rows and similarities to words of which the first `count` weigh fully; `missing` more words are nobody's."""
        scale = float(1 << self._indexed.bit_length())
        weights = [
            log2(1.0 + scale / self._frequency[code]) * (1.0 if i < count else LABEL_WEIGHT)
            for i, code in enumerate(codes)
        ]
        total = sum(weights)
        if not total:
            return NOTHING
        total *= (len(codes) + missing) / len(codes)
        lists = [self._listed[code][-MAX_LISTED:] for code in codes]
        rows = np.concatenate([np.frombuffer(listed, np.int32) for listed in lists]).astype(np.intp)
        shares = (np.array(weights) / total).repeat([len(listed) for listed in lists])
        places = np.arange(len(rows))
        self._last[rows] = places
        last = self._last.take(rows)
        once = (last == places).nonzero()[0]
        rows = rows.take(once)
        similarities = np.bincount(last, shares).take(once)
        longer = np.minimum((len(codes) + missing) / self._lengths.take(rows), 1.0)
        similarities = np.minimum(similarities * np.sqrt(longer), 1.0).astype(np.float32)
        enough = (similarities >= LEAST).nonzero()[0]
        return rows.take(enough), similarities.take(enough)

    def _version(self, codes: list[int]) -> int:
        """What similarities to some words depend on beside the words: how often their lists changed, and the scale."""
        changes = self._changes
        return 64 * sum([changes[code] for code in codes]) + self._indexed.bit_length()

    def _codes_of(self, row: int) -> list[int]:
        codes: list[int] = self._words[row].tolist()
        return codes[: codes.index(0)] if codes[-1] == 0 else codes

    def _unchanged(self, row: int, title: list[str], labels: list[str]) -> bool:
        names = {self._names[code] for code in self._codes_of(row)}
        return self._of_title[row] == len(title) and names == {*title, *labels}

    def _rarity(self, word: str) -> int:
        code = self._codes.get(word)
        return 0 if code is None else self._frequency[code]

    def _code(self, word: str) -> int:
        code = self._codes.get(word)
        if code is None:
            if self._free:
                code = self._free.pop()
                self._names[code] = word
            else:
                code = len(self._names)
                self._names.append(word)
                self._listed.append(array("i"))
                self._frequency.append(0)
                self._changes.append(0)
            self._codes[word] = code
        return code
