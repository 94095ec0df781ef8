"""Live quality: hits, surprise and calibration against sequences worked out by hand."""

from math import isclose, log

from processors.live_quality import PLACES, LiveQuality, PolicyQuality


def test_before_anything_is_known_every_place_is_as_likely() -> None:
    quality = PolicyQuality()
    assert quality.hit_rate == 0.0
    assert quality.calibration is None
    assert isclose(quality.log_loss, log(PLACES + 1))
    quality.judge("a", ["a"])
    assert isclose(quality.log_loss, log(PLACES + 1)), "judged before it is learned from"


def test_a_policy_that_puts_the_item_first_surprises_less_than_one_that_misses_half() -> None:
    good, half = PolicyQuality(), PolicyQuality()
    for number in range(3_000):
        good.judge("a", ["a", "b"])
        half.judge("a", ["a"] if number % 2 else ["b"])
    assert (good.hit_rate, half.hit_rate) == (1.0, 0.5)
    assert good.log_loss < 0.05
    assert isclose(half.log_loss, log(2), rel_tol=0.02)
    assert good.calibration is not None
    assert half.calibration is not None
    assert isclose(good.calibration, 1.0, rel_tol=0.02)
    assert isclose(half.calibration, 1.0, rel_tol=0.05)


def test_only_the_first_ten_count() -> None:
    quality = PolicyQuality()
    assert not quality.judge("x", [*map(str, range(PLACES)), "x"])


def test_a_change_of_the_hit_rate_raises_the_alarm_and_steadiness_does_not() -> None:
    quality = LiveQuality()
    for number in range(2_000):
        quality._drift.update(float(number % 10 == 0))  # type: ignore[no-untyped-call]
        assert not quality._drift.drift_detected
    alarms = 0
    for number in range(2_000):
        quality._drift.update(float(number % 10 < 6))  # type: ignore[no-untyped-call]
        alarms += bool(quality._drift.drift_detected)
    assert alarms > 0
