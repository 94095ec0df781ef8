"""The same as np.isin, whichever way it is found out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.among import FEW, among


@given(st.lists(st.integers(0, 60)), st.sets(st.integers(0, 60), max_size=2 * FEW))
def test_as_numpy_says(values: list[int], wanted: set[int]) -> None:
    given = np.array(values, np.int64)
    assert among(given, wanted).tolist() == np.isin(given, list(wanted)).tolist()
