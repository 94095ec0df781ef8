"""A world of nothing but mails and answers, as arrays: many people at once, to judge send-time learning in seconds.

People have hours at which they answer better and hours at which they come to the site, more or less related; what kind
of peaks there are is drawn from wide ranges and has nothing to do with the worlds in `simulation/`.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from processors.week import HOURS, Doubles


class Scene(Struct, frozen=True):
    """What is true. `height`: log of the best hour over the worst; `told`: share whose activity has their own peak."""

    people: int = 2_000
    segments: int = 4
    height: float = 0.5
    width_h: float = 2.5
    personal: float = 1.0
    """Share of people whose peak is their own and not their segment's."""
    told: float = 0.8
    base: float = 0.15
    """Mean chance of a click."""
    visits_a_day: float = 0.2
    before_d: int = 56
    """Days of activity before the first mail."""
    opens: float = 0.0
    """Chance of an open that no click follows, in chances of a click."""
    machines: float = 0.0
    """Share of people whose mail a machine opens."""
    scanners: float = 0.1
    """Share of these whose links it follows, too."""


class Truth(Struct, frozen=True):
    """What a scene's draw came to: chance of a click and share of visits by (person, 48 slots)."""

    segment: np.ndarray
    click: Doubles
    visits: Doubles
    rate: Doubles


def draw_truth(scene: Scene, seed: int) -> Truth:
    """Everybody, the same for a seed; chances are relative to a mean of 1 over the hours from seven to eleven."""
    rng = np.random.default_rng(seed)
    n = scene.people
    segment = rng.integers(0, scene.segments, n)
    centre = rng.uniform(7, 22, scene.segments)
    own = rng.random(n) < scene.personal
    peak = np.where(own, rng.uniform(7, 22.5, n), centre[segment] + rng.normal(0, 0.7, n))
    weekend = peak + np.where(own, rng.uniform(-1, 2, n), rng.uniform(-1, 2, scene.segments)[segment])
    height = scene.height * rng.uniform(0.7, 1.3, n)
    curve = np.exp(height[:, None, None] * np.stack([bump(peak, scene.width_h), bump(weekend, scene.width_h)], 1))
    curve /= curve[:, :, 7:23].mean(axis=2, keepdims=True)
    level = scene.base * rng.gamma(2.0, 0.5, n)
    told = rng.random(n) < scene.told
    other = rng.permutation(n)
    seen, seen_weekend = np.where(told, peak, peak[other]), np.where(told, weekend, weekend[other])
    strength = rng.uniform(0.8, 2.4, n)[:, None, None]
    day = 1.0 + 2.0 * np.exp(-0.5 * ((np.arange(HOURS) - 14) / 5.0) ** 2)
    visits = day * np.exp(strength * np.stack([bump(seen, 2.5), bump(seen_weekend, 2.5)], 1))
    visits *= np.array([5.0, 2.0])[None, :, None] / 7.0 / visits.sum(axis=2, keepdims=True)
    rate = rng.gamma(1.6, scene.visits_a_day / 1.6, n)
    click = np.minimum(0.9, level[:, None] * curve.reshape(n, 48))
    return Truth(segment, click, visits.reshape(n, 48), rate)


def bump(peak_h: Doubles, width_h: float) -> Doubles:
    """A circular Gaussian over the hours of a day, one row for each peak."""
    away = np.abs(np.arange(HOURS) + 0.5 - peak_h[:, None] % 24.0)
    away = np.minimum(away, 24.0 - away)
    curve: Doubles = np.exp(-0.5 * (away / width_h) ** 2)
    return curve
