"""Decayed counts against the sum over all events, whatever their order."""

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from processors.decay import EMPTY, add, read

DAY_MS = 86_400_000.0
NOW_MS = 1_700_000_000_000
contributions = st.lists(
    st.tuples(st.integers(NOW_MS - 200 * 86_400_000, NOW_MS), st.floats(0.01, 100.0)), min_size=1, max_size=40
)
half_lives = st.floats(0.04, 60.0).map(lambda days: days * DAY_MS)


def level_of(events: list[tuple[int, float]], half_life_ms: float) -> float:
    level = EMPTY
    for ts_ms, weight in events:
        level = add(level, ts_ms, weight, half_life_ms)
    return level


@given(contributions, half_lives)
def test_equals_the_sum_over_all_events(events: list[tuple[int, float]], half_life_ms: float) -> None:
    exact = sum(weight * 2.0 ** ((ts_ms - NOW_MS) / half_life_ms) for ts_ms, weight in events)
    assert isclose(read(level_of(events, half_life_ms), NOW_MS, half_life_ms), exact, rel_tol=1e-6, abs_tol=1e-300)


@given(contributions, half_lives, st.randoms())
def test_the_order_of_events_does_not_matter(events: list[tuple[int, float]], half_life_ms: float, rnd: object) -> None:
    shuffled = sorted(events, key=lambda _: rnd.random())  # type: ignore[attr-defined]
    assert isclose(level_of(events, half_life_ms), level_of(shuffled, half_life_ms), abs_tol=1e-9)


@given(contributions, half_lives)
def test_more_is_never_less_and_time_only_takes(events: list[tuple[int, float]], half_life_ms: float) -> None:
    level = level_of(events, half_life_ms)
    assert add(level, NOW_MS, 1.0, half_life_ms) > level or level - NOW_MS / half_life_ms > 40.0
    assert read(level, NOW_MS + 86_400_000, half_life_ms) <= read(level, NOW_MS, half_life_ms)


def test_after_one_half_life_half_is_left() -> None:
    level = add(EMPTY, NOW_MS, 8.0, DAY_MS)
    assert isclose(read(level, NOW_MS + 86_400_000, DAY_MS), 4.0, rel_tol=1e-9)
    assert read(EMPTY, NOW_MS, DAY_MS) == 0.0


def test_no_time_overflows() -> None:
    level = add(EMPTY, 253_402_300_799_999, 1.0, 3_600_000.0)
    assert read(level, 0, 3_600_000.0) == float("inf")
    assert read(add(EMPTY, 0, 1.0, 3_600_000.0), 253_402_300_799_999, 3_600_000.0) == 0.0
