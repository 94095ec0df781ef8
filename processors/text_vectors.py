"""How much an item reads like what a person dealt with: cosine of TF-IDF vectors, with the idf of now.

An item is its first 24 distinct words (title, text, brand, categories), hashed to 2^16; idf is ln((N + 1) / (df + ½))
over live items (Spärck Jones, 1972). A person is the attention-weighted sum of unit vectors of the latest items.
"""

from array import array
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from processors.growing import grown
from processors.products import product
from processors.words import words
from schemas.catalogue import Item

WORDS: Final = 24
HASHES: Final = 1 << 16
"""Hashes of words."""
DEEDS: Final = 10

Floats = npt.NDArray[np.float32]


_ONES: Final = np.ones(WORDS, np.float32)
FEW_WORDS: Final = 16
"""Columns of words that are read while no item ever had more."""


class TextVectors:
    """Words of items by catalogue row."""

    def __init__(self) -> None:
        self._words: npt.NDArray[np.int32] = np.zeros((64, WORDS), np.int32)
        """Codes of words, in the order of their hashes; 0 is no word."""
        self._codes = array("i", bytes(4 * HASHES))
        """By hash, from 1 as words come: what is looked up by code lies close together then."""
        self._coded = 0
        self._log_df: Floats = np.full(HASHES + 1, np.log(0.5), np.float32)
        self._df: npt.NDArray[np.int64] = np.zeros(HASHES + 1, np.int64)
        self._texts = 0
        self._width = FEW_WORDS
        self._person: Floats = np.zeros(HASHES + 1, np.float32)
        self._last: Floats = np.zeros(HASHES + 1, np.float32)
        """Scratch: the person's vector times idf, and the latest item's."""

    def put(self, row: int, item: Item) -> None:
        """Take over an item's text, in place of what the row held."""
        self.remove(row)
        self._words = grown(self._words, row + 1, 0)
        found = words(" ".join([item.title, item.text or "", item.brand or "", *item.categories]))[:WORDS]
        hashed = sorted({crc32(word.encode()) % HASHES for word in found})
        if hashed:
            codes = [self._codes[word] or self._code(word) for word in hashed]
            self._words[row, : len(codes)] = codes
            if len(codes) > self._width:
                self._width = WORDS
            self._count(np.array(codes), 1)

    def remove(self, row: int) -> None:
        """Forget a row's item."""
        if row < len(self._words) and self._words[row, 0]:
            held = self._words[row]
            self._count(held[held > 0], -1)
            self._words[row] = 0

    @property
    def is_empty(self) -> bool:
        """Whether no item has words."""
        return not self._texts

    def cosines(
        self, rows: npt.NDArray[np.intp], deeds: npt.NDArray[np.intp], attention: npt.NDArray[np.float64]
    ) -> tuple[Floats, Floats]:
        """The cosine of each row's item with the person, and with the latest deed's item alone."""
        deeds, attention = deeds[:DEEDS], attention[:DEEDS]
        if not self._texts or not len(deeds):
            return np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
        log_all = np.float32(np.log(self._texts + 1.0))
        self._log_df[0] = log_all  # no word weighs nothing
        told = self._words[deeds]
        idf = log_all - self._log_df[told]
        units = idf / (np.sqrt(np.einsum("ij,ij->i", idf, idf)) + 1e-9)[:, None]
        shares = units * attention.astype(np.float32)[:, None]
        person, last, flat = self._person, self._last, told.ravel()
        np.add.at(person, flat, shares.ravel())
        length = float(np.sqrt(shares.ravel() @ person[flat])) + 1e-9
        person[flat] = person[flat] * idf.ravel()  # of a word that is told twice, the same product twice
        last[told[0]] = units[0] * idf[0]
        held = self._words.take(rows, axis=0)[:, : self._width].astype(np.intp)
        norms = log_all - self._log_df.take(held)
        lengths = np.sqrt(np.einsum("ij,ij->i", norms, norms)) + 1e-9
        ones = _ONES[: self._width]
        text = product(person.take(held), ones) / (lengths * length)
        text_last = product(last.take(held), ones) / lengths
        person[flat] = 0.0
        last[told[0]] = 0.0
        return text, text_last

    def _code(self, word: int) -> int:
        self._coded += 1
        self._codes[word] = self._coded
        return self._coded

    def _count(self, hashed: npt.NDArray[np.integer], step: int) -> None:
        self._df[hashed] += step
        self._log_df[hashed] = np.log(self._df[hashed] + 0.5)
        self._texts += step
