"""The list against sorting the whole set, whatever happened before."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.top_list import TopList

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "discard", "top"]), st.integers(0, 119), st.integers(0, 5), st.integers(0, 9)
    ),
    max_size=300,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 9))
def test_the_top_is_that_of_sorting(steps: list[tuple[str, int, int, int]], last_ms: int) -> None:
    listed = TopList(3)
    until_ms = np.full(120, -1, np.int64)
    keys: dict[int, float] = {}

    def check(now_ms: int) -> None:
        def scan() -> tuple[np.ndarray, np.ndarray]:
            rows = np.array([row for row in sorted(keys) if until_ms[row] > now_ms], np.intp)
            return rows, np.array([keys[row] for row in rows.tolist()], np.float64)

        live = sorted(((key, row) for row, key in keys.items() if until_ms[row] > now_ms), reverse=True)
        assert listed.top(now_ms, until_ms, scan).tolist() == [row for _, row in live[:3]]

    for row in range(100):  # more than are listed: only then is there a floor
        keys[row], until_ms[row] = float(row * 7 % 5), row * 3 % 10
        listed.put(row, keys[row])
    for what, row, key, time_ms in steps:
        if what == "put":
            listed.discard(row)
            keys[row], until_ms[row] = float(key), time_ms
            listed.put(row, float(key))
        elif what == "discard":
            listed.discard(row)
            keys.pop(row, None)
            until_ms[row] = -1
        else:
            check(time_ms)
    check(last_ms)
