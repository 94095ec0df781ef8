"""What is remembered of a group, and for how long."""

from serving.lag.eta import consume_and_produce_rate, drain_eta_s
from serving.lag.window import COMMITS, SPACING_MS, TREND_S, Sample, Window, trend


def test_keeps_the_last_ten_commits() -> None:
    window = Window(first_seen_ms=0)
    for number in range(25):
        window.commit(number, number, 0)
    assert [commit.offset for commit in window.commits] == list(range(15, 25))
    assert len(window.commits) == COMMITS


def test_a_rewind_is_held_beyond_the_window_until_recovered() -> None:
    window = Window(first_seen_ms=0)
    window.commit(0, 1_000, 0)
    for number in range(30):
        window.commit(1 + number, number, 1_000)
    assert window.rewound_from == 1_000
    window.commit(100, 1_000, 0)
    assert window.rewound_from is None


def test_a_rewind_over_a_restart_is_seen() -> None:
    window = Window(first_seen_ms=0, committed=500)
    window.commit(1, 20, 480)
    assert window.rewound_from == 500


def test_caught_up_ends_a_rewind() -> None:
    window = Window(first_seen_ms=0, committed=20)
    window.commit(0, 50, 0)
    window.commit(1, 20, 1)
    window.caught_up(0)
    assert window.rewound_from is None
    assert window.commits[-1].lag == 0


def test_samples_are_spaced_and_bounded() -> None:
    window = Window(first_seen_ms=0)
    for now_ms in range(0, 3_600_000, 2_000):
        window.sample(Sample(now_ms, 0, 0, now_ms))
    assert window.samples[-1].ts_ms == 3_598_000
    assert len(window.samples) <= TREND_S * 1000 // SPACING_MS + 2
    assert window.samples[0].ts_ms >= 3_598_000 - TREND_S * 1000


def test_trend_is_blank_before_the_first_sample() -> None:
    assert trend([Sample(590_000, 0, 9, 9)], 600_000, buckets=3) == (None, None, 9)


def test_rates_of_the_last_two_minutes_only() -> None:
    samples = [Sample(0, 0, 0, 0), Sample(400_000, 100, 200, 100), Sample(460_000, 700, 260, 0)]
    assert consume_and_produce_rate(samples) == (10.0, 1.0)


def test_eta_is_infinite_when_not_shrinking() -> None:
    assert drain_eta_s(10, [Sample(0, 0, 10, 10), Sample(10_000, 5, 15, 10)]) == float("inf")
    assert drain_eta_s(10, [Sample(0, 5, 15, 10), Sample(10_000, 0, 15, 15)]) == float("inf")
    assert drain_eta_s(10, [Sample(0, 0, 20, 20), Sample(10_000, 10, 20, 10)]) == 10.0
