"""When people are on the site, and when they answer mail: two curves over 48 local hours, as related as a world says.

Slots 0–23 are the hours of weekdays, 24–47 of weekends. A bump is a circular Gaussian of 2.5 hours around a peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Floats, Ints
from simulation.variants import Variant

SEGMENTS = ("office", "early", "evening", "night")
_SEGMENT_SHARE = (0.4, 0.2, 0.28, 0.12)
_WIDTH_H = 2.5
_WAKING = np.arange(7, 23)

_DAY_SHAPE = np.array(
    [
        2.6,
        1.8,
        1.4,
        1.1,
        1.0,
        1.2,
        1.7,
        2.6,
        3.9,
        4.9,
        5.6,
        5.8,
        5.9,
        5.9,
        5.7,
        5.5,
        5.3,
        5.0,
        4.8,
        4.9,
        5.1,
        5.2,
        4.8,
        3.8,
    ],
)
"""Share of visits by local hour when nobody has a habit, in any unit."""


@dataclass(frozen=True)
class Rhythms:
    """`response` multiplies the chance to open a mail, `visits_cdf` draws a visit's hour; shapes (users, 2, 24)."""

    segment: Ints
    response: Floats
    visits_cdf: Floats


def draw_rhythms(rng: np.random.Generator, users: int, variant: Variant) -> Rhythms:
    """Peaks, amplitudes and curves for everybody.

    With amplitude 0 the response is exactly 1 at all hours. A null world has no habits on the site either: a mail that
    comes after a visit shows again what was just seen there, so that with habits some hours are worse whatever the
    response.
    """
    segment = rng.choice(len(SEGMENTS), users, p=_SEGMENT_SHARE)
    segment_peaks = np.array([12.5, 7.5, 20.0, 22.0]) + rng.uniform(-1, 1, len(SEGMENTS))
    weekend_shift = rng.uniform(-1.0, 2.5, len(SEGMENTS))
    own = rng.random(users) < variant.personal_share
    peak = np.where(own, rng.uniform(7.0, 22.5, users), segment_peaks[segment] + 0.7 * rng.standard_normal(users))
    weekend_peak = peak + np.where(own, rng.uniform(-1.0, 2.0, users), weekend_shift[segment])
    amplitude = variant.response_amplitude * rng.uniform(0.7, 1.3, users)
    response = np.stack([_response(peak, amplitude), _response(weekend_peak, amplitude)], axis=1)

    told = rng.random(users) < variant.activity_tells
    shuffled = rng.permutation(users)
    seen = np.where(told, peak, peak[shuffled])
    seen_weekend = np.where(told, weekend_peak, weekend_peak[shuffled])
    strength = rng.uniform(0.8, 2.4, users)[:, None]
    curves = np.stack([_bump(seen), _bump(seen_weekend)], axis=1) * strength[:, None, :]
    visits = _DAY_SHAPE * np.exp(curves) if variant.habits else np.ones_like(curves)
    cdf = np.cumsum(visits, axis=2)
    return Rhythms(segment, response, cdf / cdf[:, :, -1:])


def _bump(peak_h: Floats) -> Floats:
    away = np.abs(np.arange(24) + 0.5 - peak_h[:, None] % 24.0)
    away = np.minimum(away, 24.0 - away)
    out: Floats = np.exp(-0.5 * (away / _WIDTH_H) ** 2)
    return out


def _response(peak_h: Floats, amplitude: Floats) -> Floats:
    curve = np.exp(amplitude[:, None] * _bump(peak_h))
    asleep = np.ones_like(curve)
    asleep[:, :6] = np.exp(-0.8 * amplitude[:, None])
    curve = curve * asleep
    out: Floats = curve / curve[:, _WAKING].mean(axis=1, keepdims=True)
    return out
