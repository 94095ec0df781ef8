"""When will the lag be gone? From how fast the group commits and how fast the log grows."""

import math
from collections.abc import Sequence

from serving.lag.window import Sample

RATE_WINDOW_MS = 120_000
"""Rates are taken over at most this long."""
MIN_SPAN_MS = 500


def consume_and_produce_rate(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """Records per second committed and appended over the last two minutes; None with fewer than two samples.

    >>> consume_and_produce_rate([Sample(0, 0, 100, 100), Sample(10_000, 50, 120, 70)])
    (5.0, 2.0)
    """
    if len(samples) < 2:
        return None
    last = samples[-1]
    first = next((one for one in samples if last.ts_ms - one.ts_ms <= RATE_WINDOW_MS and one is not last), samples[-2])
    span_ms = last.ts_ms - first.ts_ms
    if span_ms < MIN_SPAN_MS:
        return None
    seconds = span_ms / 1000
    return (last.position - first.position) / seconds, (last.end - first.end) / seconds


def drain_eta_s(lag: int, samples: Sequence[Sample]) -> float:
    """Seconds until caught up: lag ÷ (consume rate − produce rate); 0 when caught up, +Inf when not shrinking.

    >>> drain_eta_s(70, [Sample(0, 0, 100, 100), Sample(10_000, 50, 120, 70)])
    23.333333333333332
    >>> drain_eta_s(0, []), drain_eta_s(5, [])
    (0.0, inf)
    """
    if lag <= 0:
        return 0.0
    rates = consume_and_produce_rate(samples)
    if rates is None or rates[0] <= rates[1]:
        return math.inf
    return lag / (rates[0] - rates[1])
