"""Interpolated seconds of lag against the truth: the error is bounded, and the bound is small for its age."""

import bisect
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.lag.history import POINTS, EndHistory


def sampled(arrivals_ms: list[int], every_ms: int, until_ms: int) -> EndHistory:
    """A history of a log whose record n arrived at arrivals_ms[n], looked at every `every_ms`."""
    history = EndHistory()
    for now_ms in range(0, until_ms + every_ms, every_ms):
        history.add(now_ms, bisect.bisect_right(arrivals_ms, now_ms))
    return history


@given(
    st.lists(st.integers(min_value=1, max_value=200_000), min_size=1, max_size=60).map(sorted),
    st.sampled_from([1_000, 10_000, 30_000]),
)
def test_the_truth_lies_between_the_bounds(arrivals_ms: list[int], every_ms: int) -> None:
    history = sampled(arrivals_ms, every_ms, 210_000)
    for offset, truth_ms in enumerate(arrivals_ms):
        estimate = history.appended_at(offset)
        assert estimate is not None
        assert estimate.low_ms is not None
        assert estimate.low_ms <= truth_ms <= estimate.high_ms
        assert estimate.low_ms <= estimate.ts_ms <= estimate.high_ms


def test_the_error_is_at_most_one_interval_while_nothing_was_thinned() -> None:
    rng = random.Random(5)
    arrivals_ms = sorted(rng.sample(range(1, 900_000), 3_000))
    history = sampled(arrivals_ms, 10_000, 900_000)
    errors = [abs(e.ts_ms - t) for o, t in enumerate(arrivals_ms) if (e := history.appended_at(o)) is not None]
    assert len(errors) == 3_000
    assert max(errors) <= 10_000
    assert sum(errors) / len(errors) < 1_500


def test_after_a_day_the_error_is_a_few_percent_of_the_age() -> None:
    rng = random.Random(7)
    day_ms = 86_400_000
    arrivals_ms = sorted(rng.sample(range(1, day_ms), 40_000))
    history = sampled(arrivals_ms, 10_000, day_ms)
    assert len(history.ends) <= POINTS
    for offset in range(0, 40_000, 97):
        estimate = history.appended_at(offset)
        assert estimate is not None
        age_ms = day_ms - arrivals_ms[offset]
        assert abs(estimate.ts_ms - arrivals_ms[offset]) <= max(20_000, 0.15 * age_ms)


def test_a_burst_after_an_idle_night_is_dated_to_the_burst() -> None:
    history = EndHistory()
    for now_ms in range(0, 8 * 3_600_000, 10_000):
        history.add(now_ms, 50)
    last_idle_ms = history.times_ms[-1]
    history.add(last_idle_ms + 10_000, 90)
    estimate = history.appended_at(50)
    assert estimate is not None
    assert estimate.low_ms == last_idle_ms
    assert len(history.ends) == 3


def test_what_is_older_than_the_history_is_a_bound_and_says_so() -> None:
    history = EndHistory()
    history.add(5_000, 100)
    estimate = history.appended_at(3)
    assert estimate is not None
    assert estimate.low_ms is None
    assert estimate.high_ms == 5_000


def test_the_end_has_no_record_yet() -> None:
    history = EndHistory([0, 10], [0, 4])
    assert history.appended_at(4) is None


def test_a_topic_made_anew_starts_a_new_history() -> None:
    history = EndHistory([0, 10], [0, 400])
    assert not history.add(20, 3)
    assert (history.times_ms, history.ends) == ([20], [3])


def test_seeds_go_before_and_never_decrease() -> None:
    history = EndHistory()
    history.add(1_000, 50)
    history.seed([(900, 60), (500, 20), (700, 10), (1_500, 1)])
    assert history.times_ms == [500, 700, 900, 1_000]
    assert history.ends == [10, 10, 50, 50]


@pytest.mark.parametrize(("ts_ms", "end"), [(-1, None), (0, 0), (50, 5), (100, 10), (500, 10)])
def test_end_at(ts_ms: int, end: int | None) -> None:
    assert EndHistory([0, 100], [0, 10]).end_at(ts_ms) == end
