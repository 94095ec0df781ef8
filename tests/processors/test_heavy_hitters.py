"""The sketch is bounded, never misses a frequent key, and is exact as long as everything fits."""

from collections import Counter
from math import exp2, isclose

from hypothesis import given
from hypothesis import strategies as st

from processors.heavy_hitters import Sketch, observe, shares

FOR_EVER_MS = 1e18
"""A half-life at which nothing decays within a test."""
streams = st.lists(st.integers(0, 40).map(lambda n: f"k{n * n % 41 % (n + 1)}"), max_size=300)


def sketched(keys: list[str], capacity: int, half_life_ms: float = FOR_EVER_MS) -> Sketch:
    sketch: Sketch = {}
    for ts_ms, key in enumerate(keys):
        observe(sketch, key, ts_ms, 1.0, half_life_ms, capacity)
    return sketch


@given(streams, st.integers(1, 16))
def test_room_is_bounded(keys: list[str], capacity: int) -> None:
    assert len(sketched(keys, capacity)) == min(capacity, len(set(keys)))


@given(streams, st.integers(1, 16))
def test_a_frequent_key_is_never_missed(keys: list[str], capacity: int) -> None:
    kept = sketched(keys, capacity)
    assert {key for key, count in Counter(keys).items() if count > len(keys) / capacity} <= kept.keys()


@given(streams, st.integers(1, 16))
def test_what_is_surely_a_keys_own_is_never_more_than_it_had(keys: list[str], capacity: int) -> None:
    counts = Counter(keys)
    for key, (level, inherited) in sketched(keys, capacity).items():
        assert exp2(level) - exp2(inherited) <= counts[key] * (1 + 1e-6)
        assert exp2(level) >= counts[key] * (1 - 1e-6) or inherited > level - 60.0


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=200), st.floats(5.0, 500.0))
def test_exact_while_everything_fits(keys: list[str], half_life_ms: float) -> None:
    weights: Counter[str] = Counter()
    for ts_ms, key in enumerate(keys):
        weights[key] += exp2((ts_ms - len(keys)) / half_life_ms)  # type: ignore[assignment]
    total = sum(weights.values())
    found = shares(sketched(keys, 16, half_life_ms))
    assert found.keys() == weights.keys()
    assert all(isclose(share, weights[key] / total, abs_tol=1e-9) for key, share in found.items())


@given(streams, st.integers(1, 16))
def test_shares_are_shares(keys: list[str], capacity: int) -> None:
    found = shares(sketched(keys, capacity))
    assert all(0.0 <= share <= 1.0 for share in found.values())
    assert not found or isclose(sum(found.values()), 1.0)


def test_nothing_has_no_shares() -> None:
    assert shares({}) == {}
