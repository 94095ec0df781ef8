"""Random numbers as a pure function of (seed, purpose, keys): splitmix64 (Steele, Lea and Flood, 2014).

Nothing is consumed, so what one policy provokes never shifts the luck of another: policies are paired.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_A = 0xBF58476D1CE4E5B9
_B = 0x94D049BB133111EB
_TO_UNIT = 2.0**-53


def _finish(z: int) -> int:
    z = ((z ^ (z >> 30)) * _A) & _MASK
    z = ((z ^ (z >> 27)) * _B) & _MASK
    return z ^ (z >> 31)


def key_of(seed: int, *keys: int) -> int:
    """A 64-bit key for (seed, keys); keys may be negative.

    >>> key_of(1, 2, 3) == key_of(1, 2, 3) != key_of(1, 3, 2)
    True
    """
    h = _finish((seed * _GOLDEN + _GOLDEN) & _MASK)
    for k in keys:
        h = _finish(((h ^ (k & _MASK)) + _GOLDEN) & _MASK)
    return h


def uniforms(key: int, n: int) -> Floats:
    """`n` numbers in [0, 1) that belong to `key`."""
    z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(key)
    return _unit(z)


def uniform_of(key: int, ids: Ints) -> Floats:
    """One number in [0, 1) per id, the same for an id whatever other ids are asked for with it."""
    z = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN) + np.uint64(key)
    return _unit(z)


def _unit(z: npt.NDArray[np.uint64]) -> Floats:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_A)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_B)
    z ^= z >> np.uint64(31)
    out: Floats = (z >> np.uint64(11)).astype(np.float64) * _TO_UNIT
    return out


def rng_of(seed: int, purpose: int) -> np.random.Generator:
    """A NumPy generator for what is drawn once, when a world is built."""
    return np.random.default_rng(key_of(seed, purpose))


class Luck:
    """A short stream of numbers under one key, for one visit or one mail."""

    __slots__ = ("_state",)

    def __init__(self, key: int) -> None:
        self._state = key

    def unit(self) -> float:
        """The next number in [0, 1)."""
        self._state = z = (self._state + _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * _A) & _MASK  # `_finish` written out: called more often than anything else
        z = ((z ^ (z >> 27)) * _B) & _MASK
        return ((z ^ (z >> 31)) >> 11) * _TO_UNIT

    def below(self, n: int) -> int:
        """The next integer in [0, n)."""
        return int(self.unit() * n)

    def exponential(self, mean: float) -> float:
        """Exponential with this mean."""
        return -mean * math.log1p(-self.unit())

    def lognormal(self, median: float, sigma: float) -> float:
        """Lognormal by median and the standard deviation of the log (Box and Muller)."""
        radius = math.sqrt(-2.0 * math.log1p(-self.unit()))
        return median * math.exp(sigma * radius * math.cos(2.0 * math.pi * self.unit()))
