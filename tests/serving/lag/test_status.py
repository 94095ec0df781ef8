"""Every status rule has a table."""

import pytest

from serving.lag.status import (
    SILENCE_MS,
    Evidence,
    Status,
    had_recent_zero_lag,
    has_rewound,
    has_stalled,
    has_stopped,
    never_decreased,
    status_of,
    was_within_allowed,
)
from serving.lag.window import Commit


def commits(*offset_and_lag: tuple[int, int | None], every_ms: int = 1000) -> list[Commit]:
    return [Commit(number * every_ms, offset, lag) for number, (offset, lag) in enumerate(offset_and_lag)]


MOVING = commits((10, 90), (20, 90), (30, 80))


@pytest.mark.parametrize(
    ("window", "now_ms", "silent_ms", "members", "expected"),
    [
        (MOVING, 4000, 0, 1, False),
        (MOVING, 4001, 0, 1, True),
        (commits((10, 5)), 0, 0, 1, False),
        (commits((10, 5)), 1, 0, 1, True),
        ([], 0, 0, 0, True),
        ([], 0, 0, 1, False),
        ([], 0, 0, None, False),
        ([], 0, SILENCE_MS, 1, True),
    ],
)
def test_stopped(window: list[Commit], now_ms: int, silent_ms: int, members: int | None, expected: bool) -> None:
    assert has_stopped(window, now_ms, silent_ms, members) is expected


@pytest.mark.parametrize(
    ("position", "ends", "lags", "expected"),
    [
        (10, [10, 15], [], True),
        (10, [11, 15], [], False),
        (10, [], [], False),
        (10, [11], [3, 0], True),
        (10, [11], [3, 1], False),
    ],
)
def test_recent_zero_lag(position: int, ends: list[int], lags: list[int], expected: bool) -> None:
    assert had_recent_zero_lag(position, ends, lags) is expected


@pytest.mark.parametrize(
    ("position", "window", "rewound_from", "expected"),
    [
        (30, MOVING, None, False),
        (20, commits((50, 0), (20, 30)), None, True),
        (49, commits((50, 0), (20, 30), (49, 1)), None, True),
        (50, commits((50, 0), (20, 30), (50, 0)), None, False),
        (30, MOVING, 500, True),
        (30, [], None, False),
        (30, [], 31, True),
    ],
)
def test_rewound(position: int, window: list[Commit], rewound_from: int | None, expected: bool) -> None:
    assert has_rewound(position, window, rewound_from) is expected


@pytest.mark.parametrize(
    ("window", "allowed", "expected"),
    [
        (commits((1, 5), (2, 0)), 0, True),
        (commits((1, 5), (2, 4)), 0, False),
        (commits((1, 5), (2, 4)), 4, True),
        (commits((1, None)), 9, False),
        ([], 0, False),
    ],
)
def test_within_allowed(window: list[Commit], allowed: int, expected: bool) -> None:
    assert was_within_allowed(window, allowed) is expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [(commits((7, 1), (7, 2), (7, 3)), True), (commits((7, 1), (8, 1)), False), (commits((7, 1)), True), ([], False)],
)
def test_stalled(window: list[Commit], expected: bool) -> None:
    assert has_stalled(window) is expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (commits((1, 5), (2, 5), (3, 9)), True),
        (commits((1, 5), (2, 4), (3, 9)), False),
        (commits((1, 5), (2, None), (3, 4)), False),
        (commits((1, None)), False),
        ([], False),
    ],
)
def test_never_decreased(window: list[Commit], expected: bool) -> None:
    assert never_decreased(window) is expected


REWIND_FROM_ZERO = commits((100, 0), (100, 0), (40, 60))
SLOW = commits((1, 5), (2, 6), (3, 9))
STUCK = commits((7, 1), (7, 2), (7, 3))


@pytest.mark.parametrize(
    ("window", "lag", "now_ms", "expected", "why"),
    [
        (STUCK, 0, 9_999, Status.OK, "no lag, nothing else is asked"),
        (STUCK, 3, 9_999, Status.STOP, "STOP comes before STALL"),
        (STUCK, 3, 2_500, Status.STALL, "it still commits"),
        (REWIND_FROM_ZERO, 60, 2_500, Status.REWIND, "REWIND comes before OK"),
        (REWIND_FROM_ZERO, 60, 9_999, Status.STOP, "STOP comes before REWIND"),
        (commits((1, 0), (2, 5), (3, 9)), 9, 2_500, Status.OK, "zero lag in the window"),
        (SLOW, 9, 2_500, Status.WARN, "moves, falls behind"),
        (commits((1, 5), (2, 4), (3, 9)), 9, 2_500, Status.OK, "it caught up a little once"),
    ],
)
def test_order_of_rules(window: list[Commit], lag: int, now_ms: int, expected: Status, why: str) -> None:
    seen = Evidence(now_ms=now_ms, lag=lag, position=window[-1].offset, commits=window, recent_ends=[1000])
    assert status_of(seen) is expected, why


def test_a_record_that_came_just_now_stops_nobody() -> None:
    idle = Evidence(now_ms=10**9, lag=1, position=7, commits=commits((7, 0), (7, 0)), recent_ends=[7, 8])
    assert status_of(idle) is Status.OK


def test_allowed_lag_is_no_error() -> None:
    seen = Evidence(now_ms=10**9, lag=5, position=7, commits=STUCK, recent_ends=[12], allowed=5)
    assert status_of(seen) is Status.OK
