"""What items have in common by name: place, region, brand, categories, as codes by catalogue row."""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.catalogue import Catalogue
from processors.growing import grown
from processors.top_list import Rows

MOST: Final = 6
"""Labels of an item; the rest are left out."""
_ONES: Final = np.ones(MOST)


class Labels:
    """Codes by row; code 0 is no label."""

    def __init__(self) -> None:
        self._codes: npt.NDArray[np.int32] = np.zeros((64, MOST), np.int32)
        self._known: dict[tuple[str, int], int] = {}
        self._weights: npt.NDArray[np.float64] = np.zeros(64)

    def put(self, row: int, catalogue: Catalogue) -> None:
        """Take over the labels of a row that the catalogue has just put."""
        named = [("city", int(catalogue.city[row])), ("region", int(catalogue.region[row]))]
        named.append(("brand", int(catalogue.brand[row])))
        named += [("category", code) for code in catalogue.category[:, row].tolist()]
        codes = [self._known.setdefault(name, len(self._known) + 1) for name in named if name[1]][:MOST]
        self._codes = grown(self._codes, row + 1, 0)
        self._codes[row] = 0
        self._codes[row, : len(codes)] = codes
        self._weights = grown(self._weights, len(self._known) + 1, 0.0)

    def shared(self, rows: Rows, deeds: Rows, attention: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """For each row the attention of the deeds' items that share a label with it, once for each shared label."""
        weights = self._weights
        told = self._codes.take(deeds, axis=0)
        np.add.at(weights, told.ravel(), attention.repeat(MOST))
        weights[0] = 0.0
        found: npt.NDArray[np.float64] = weights.take(self._codes.take(rows, axis=0)) @ _ONES
        weights[told] = 0.0
        return found
