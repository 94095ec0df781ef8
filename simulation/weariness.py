"""What wears people out: the same items again, too many mails, mails that are of no use to them.

Orders of magnitude, and where they are from:

- *Repeats.* Whoever looked at an item and did nothing is the less likely to act on it the more often that was, and the
  less long ago (Lee, Lakshmanan, Tiwari and Shah, *Modeling impression discounting in large-scale recommender systems*,
  KDD 2014; they fit linear, inverse, exponential and quadratic decays). Here exponential: 12% less for each look, on
  the site or in a mail alike, down to a fifth; a look is half forgotten after two weeks.
- *Volume.* Mails of late, F = Σ 2^(-age / 3 d), against what a person bears: opens fall by 20% for each mail beyond
  half of that, so that a daily mail is opened little more than half as often as one in four days. The hazard of leaving
  grows with the square of F over tolerance: 0.1% a mail to begin with, 0.4% where mail is daily. (Senders report 0.1
  to 0.15% a campaign; that volume has an optimum: Zhao, Narita, Orten and Egan, *Notification volume control and
  optimization system at Pinterest*, KDD 2018.)
- *Irrelevance.* People expect of the next mail what the ones they read were worth to them; a sender whose mails were of
  half the usual worth is opened 30% less, and left 40% more. No published figure was found: this one is a guess, and
  moderate on purpose.

`wear` scales all of it, and the worlds `tireless` (0) and `weary` (2) show how conclusions depend on it.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from simulation.draws import Floats, Ints
from simulation.local_time import DAY_MS

_KEPT_PER_LOOK = 0.88
_MAX_LOOKS = 12.0
_LOOK_HALF_LIFE_DAYS = 14.0
_MAIL_HALF_LIFE_DAYS = 3.0
_USUAL_WORTH = 0.3
_LEARNS = 0.25
"""Of the difference between what a mail was worth and what was expected."""


class Weariness:
    """How tired everybody is. `wear` ≥ 0."""

    def __init__(self, users: int, start_ms: int, wear: float) -> None:
        self._wear = wear
        self._looks: defaultdict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
        self._mails, self._mails_ms = np.zeros(users), np.full(users, start_ms, dtype=np.int64)
        self._worth = np.full(users, _USUAL_WORTH)

    def looked(self, p: int, i: int, ts_ms: int) -> None:
        """Person `p` saw item `i` in a list."""
        looks = self._looks[p]
        looks[i] = (_left(looks.get(i), ts_ms) + 1.0, ts_ms)

    def kept(self, p: int, rows: Ints, ts_ms: int) -> Floats:
        """What repetition has left of the wish for items, in (0, 1]."""
        known, out = self._looks[p].get, np.ones(rows.size)
        for n, i in enumerate(rows.tolist()):
            if (looks := known(i)) is not None:
                out[n] = _KEPT_PER_LOOK ** (self._wear * min(_left(looks, ts_ms), _MAX_LOOKS))
        return out

    def mailed(self, p: int, ts_ms: int) -> None:
        """A mail reached them."""
        self._mails[p], self._mails_ms[p] = self.mails(p, ts_ms) + 1.0, ts_ms

    def mails(self, p: int, ts_ms: int) -> float:
        """F: mails of late, decayed."""
        return float(self._mails[p]) * _decay(ts_ms - int(self._mails_ms[p]), _MAIL_HALF_LIFE_DAYS)

    def read(self, p: int, worth: float) -> None:
        """They read a mail, and the items they looked at were worth so much to them, in [0, 1]."""
        self._worth[p] += _LEARNS * (worth - self._worth[p])

    def attention(self, p: int, ts_ms: int, tolerance: float) -> float:
        """What is left of the chance to open a mail, around 1."""
        over = max(0.0, self.mails(p, ts_ms) - 0.5 * tolerance)
        return math.exp(-0.22 * self._wear * over) * self._regard(p)

    def urge_to_leave(self, p: int, ts_ms: int, tolerance: float) -> float:
        """Factor on the hazard of unsubscribing, at a mail."""
        strain = self.mails(p, ts_ms) / tolerance
        return (1.0 + 2.0 * self._wear * strain**2) / self._regard(p)

    def _regard(self, p: int) -> float:
        return math.pow(min(5.0, max(0.2, float(self._worth[p]) / _USUAL_WORTH)), 0.5 * self._wear)


def _left(looks: tuple[float, int] | None, ts_ms: int) -> float:
    return 0.0 if looks is None else looks[0] * _decay(ts_ms - looks[1], _LOOK_HALF_LIFE_DAYS)


def _decay(since_ms: int, half_life_days: float) -> float:
    return math.pow(2.0, -max(0, since_ms) / (half_life_days * DAY_MS))
