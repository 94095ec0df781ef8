"""The limit on mails a minute: a burst is spread, and an idle hour saves nothing up."""

import pytest

from streams import send_rate
from streams.send_rate import SendRate


def test_no_more_than_the_share_of_this_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1_000.0]
    monkeypatch.setattr(send_rate, "boottime_s", lambda: now_s[0])
    rate = SendRate(120, 12)
    gone = 0
    for _ in range(600):  # a minute in tenths of a second, half of the partitions owned
        now_s[0] += 0.1
        while rate.take(6):
            gone += 1
    assert 58 <= gone <= 62
    now_s[0] += 3_600.0
    burst = 0
    while rate.take(6):
        burst += 1
    assert burst <= 2


def test_without_a_limit_everything_goes() -> None:
    rate = SendRate(None, 12)
    assert all(rate.take(0) for _ in range(1_000))
