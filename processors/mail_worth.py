"""What a mail is worth now: the apply-starts it brings, less what it costs in people who leave, less the price.

A mail goes if V tau - C h - lambda > 0, counted in apply-starts (V = 1). tau, the uplift, is the person's rate of
rewards, times how often an apply-start follows a click, times a calibration from mails withheld at random: it says how
much of that would have come anyway. It is learned against predictions without it; else it would end at the square root
of what it is to be. Neither the hour nor the content is in tau: both move clicks, and of apply-starts nothing that
could be told (docs/quality.md). They are in the reward that a mail is expected to earn, by which people's rates are
learned: the factor of its *stratum* (how long ago the person was last here by themselves, how much is new in the mail),
shrunk, and half-way on a logarithmic scale besides. All of it is the row `worth/all` of `model`.
"""

import math
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from processors.leave_hazard import CHOSEN_WEIGHT, EDGES, fatigue_bin, hazards
from processors.mail_rules import MailRules
from processors.model_rows import row_key
from processors.sending import DECIDED, SENT, Sending
from processors.week import DAY_MS, Doubles
from schemas.mail_labels import MailLabel, Weighed

KIND: Final = "worth"
KEY: Final = row_key(KIND, "all")
FATIGUE_HALF_LIFE_D: Final = 3.0
AWAY_D: Final = (1.0, 3.0, 7.0, 14.0, 30.0)
NEWS: Final = (3, 6, 9)
STRATA: Final = (len(AWAY_D) + 1) * (len(NEWS) + 1)
DECILES: Final = 12
"""Bins of predicted uplift, each double the one before."""
LEAST_UPLIFT: Final = 2.0**-12
STRATUM_PSEUDO_REWARDS: Final = 5.0
PRIOR_CLICKS: Final = 20.0
PRIOR_STARTS_PER_CLICK: Final = 0.15
PRIOR_DEVIATION: Final = 0.5
"""How far from 1 the calibration is believed to be before anything was withheld."""
HALF_LIFE_D: Final = 90.0
VOLUME_HALF_LIFE_D: Final = 3.0
PRICE_STEP: Final = 0.3
"""How far the price moves in a day, as a share of what mails are worth, for each unit of log volume off the budget."""
MOST_WAIT_D: Final = 7.0


class WorthRow(Struct, array_like=True):
    """All that is learned; arrays are float64, little-endian, decayed to the start of `day`."""

    offset: int = -1
    day: int = 0
    won: bytes = bytes(8 * STRATA)
    expected: bytes = bytes(8 * STRATA)
    clicks: float = 0.0
    starts: float = 0.0
    """Apply-starts that followed clicks."""
    mails_by_fatigue: bytes = bytes(8 * (len(EDGES) + 1))
    left_by_fatigue: bytes = bytes(8 * (len(EDGES) + 1))
    sent: bytes = bytes(8 * 3 * DECILES)
    """By bin of predicted uplift: mails, apply-starts after them, predicted uplift."""
    withheld: bytes = bytes(8 * 3 * DECILES)
    """The same of those withheld at random."""
    person_days: float = 0.0
    mails: float = 0.0
    worth: float = 0.0
    looks: float = 0.0
    price: float = 0.0
    priced_day: int = 0
    """When the price last moved, in days since the epoch."""
    bare: float = 0.0
    """Uplift predicted of the mails that went, before calibration."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(WorthRow).decode


def stratum_of(away_ms: int, news: int) -> int:
    """Which people and mails are learned of together."""
    away = int(np.searchsorted(AWAY_D, max(away_ms, 0) / DAY_MS, side="right"))
    return away * (len(NEWS) + 1) + int(np.searchsorted(NEWS, news, side="right"))


def fatigue(state: Sending, now_ms: int) -> float:
    """F: mails of late, each half forgotten after three days.

    >>> from processors.sending import Mail
    >>> fatigue(Sending(mails=[Mail(1, 0, flags=SENT)]), 3 * DAY_MS)
    0.5
    """
    now_s = now_ms / 1000.0
    return math.fsum(
        2.0 ** ((mail.at_s - now_s) / (86_400.0 * FATIGUE_HALF_LIFE_D))
        for mail in state.mails
        if mail.flags & (SENT | DECIDED) and mail.at_s < now_s
    )


class WorthView:
    """What decisions read."""

    def __init__(self) -> None:
        self.put(_encode(WorthRow()))

    def put(self, value: bytes) -> None:
        """Take over the row. Raises msgspec.ValidationError where the bytes are none."""
        row = self.row = _decode(value)
        won, expected = _array(row.won), _array(row.expected)
        level = (won.sum() + STRATUM_PSEUDO_REWARDS) / (expected.sum() + STRATUM_PSEUDO_REWARDS)
        pooled = STRATUM_PSEUDO_REWARDS
        self._factors = (won + pooled * level) / (expected + pooled)
        self.starts_per_click = starts_per_click(row)
        self.hazards = hazards(_array(row.mails_by_fatigue), _array(row.left_by_fatigue))
        self.calibration = calibration(_array(row.sent).reshape(3, -1), _array(row.withheld).reshape(3, -1), row.bare)
        self.price = row.price

    def factor(self, stratum: int) -> float:
        """Rewards of a stratum over what is expected of them."""
        return float(self._factors[stratum])

    def uplift(self, rate: float) -> float:
        """Tau of a mail to a person whose mails earn a reward of `rate`."""
        return rate * self.starts_per_click * self.calibration

    def score(self, rate: float, tired: float, rules: MailRules) -> float:
        """V tau - C h, before the price."""
        return self.uplift(rate) - rules.leave_cost * float(self.hazards[fatigue_bin(tired)])


def starts_per_click(row: WorthRow) -> float:
    """How often an apply-start follows a click on a mail."""
    return (row.starts + PRIOR_CLICKS * PRIOR_STARTS_PER_CLICK) / (row.clicks + PRIOR_CLICKS)


def calibration(sent: Doubles, withheld: Doubles, bare: float) -> float:
    """Apply-starts that mails brought over `bare`, those predicted without it; shrunk to 1 by how little is known.

    Arrays are (mails, apply-starts, predicted with it) by bin. What was withheld was drawn from what would have been
    sent, so that the difference of the rates is what sending did.
    """
    n1, y1, _ = sent.sum(axis=1)
    n0, y0, _ = withheld.sum(axis=1)
    if n1 < 1.0 or n0 < 1.0 or bare <= 0.0:
        return 1.0
    mean = bare / n1
    found = (y1 / n1 - y0 / n0) / mean
    rate = (y1 + y0 + 1.0) / (n1 + n0 + 2.0)
    variance = rate * (1.0 - rate) * (1.0 / n1 + 1.0 / n0) / mean**2
    prior = 1.0 / PRIOR_DEVIATION**2
    return float(np.clip((prior + found / variance) / (prior + 1.0 / variance), 0.2, 3.0))


class WorthTable:
    """The learner's half. Whoever calls sees to it that each record is learned once."""

    kind: Final = KIND

    def __init__(self) -> None:
        self.row = WorthRow()
        self.is_dirty = False
        self._open(self.row)

    def load(self, value: bytes) -> None:
        """Take the recovered row."""
        self.row = _decode(value)
        self._open(self.row)

    def learn_label(self, label: MailLabel, offset: int) -> None:
        """What came of one mail, or of one withheld."""
        self._touch(label.at_ms, offset)
        predicted = label.predicted
        into = self._withheld if label.is_withheld else self._sent
        into[:, decile_of(label.uplift)] += (1.0, float(label.started), label.uplift)
        if label.is_withheld:
            return
        self.row.bare += label.expected * starts_per_click(self.row)
        self._won[label.stratum] += label.reward
        self._expected[label.stratum] += predicted
        if label.reward >= 1.0:
            self.row.clicks += 1.0
            self.row.starts += float(label.started)
        weight = 1.0 if label.is_arm else CHOSEN_WEIGHT
        tired = fatigue_bin(label.fatigue)
        self._mails[tired] += weight
        self._left[tired] += weight * float(label.left)

    def learn_look(self, look: Weighed, offset: int) -> None:
        """Somebody might have been written to: moves the price towards the budget, once a day."""
        row, day = self.row, look.at_ms // DAY_MS
        if day > row.priced_day > 0 and row.person_days > 0.0:
            weekly = 7.0 * row.mails / row.person_days
            worth = max(row.worth / max(row.looks, 1.0), LEAST_UPLIFT)
            off = float(np.log(max(weekly, 0.05) / look.budget))
            row.price = max(0.0, row.price + PRICE_STEP * worth * max(-1.0, min(1.0, off)))
        row.priced_day = max(row.priced_day, day)
        self._touch(look.at_ms, offset)
        row.person_days += min(look.waited_d, MOST_WAIT_D)
        row.mails += float(look.sends)
        row.looks += 1.0
        row.worth += abs(look.score)

    def take_row(self) -> bytes:
        """The row as it travels."""
        row = self.row
        row.won, row.expected = self._won.tobytes(), self._expected.tobytes()
        row.mails_by_fatigue, row.left_by_fatigue = self._mails.tobytes(), self._left.tobytes()
        row.sent, row.withheld = self._sent.tobytes(), self._withheld.tobytes()
        self.is_dirty = False
        return _encode(row)

    def _open(self, row: WorthRow) -> None:
        self._won, self._expected = _array(row.won), _array(row.expected)
        self._mails, self._left = _array(row.mails_by_fatigue), _array(row.left_by_fatigue)
        self._sent, self._withheld = _array(row.sent).reshape(3, -1), _array(row.withheld).reshape(3, -1)

    def _touch(self, at_ms: int, offset: int) -> None:
        row, day = self.row, at_ms // DAY_MS
        row.offset, self.is_dirty = offset, True
        if day <= row.day:
            return
        if row.day:
            slow, fast = 2.0 ** ((row.day - day) / HALF_LIFE_D), 2.0 ** ((row.day - day) / VOLUME_HALF_LIFE_D)
            for table in (self._won, self._expected, self._mails, self._left, self._sent, self._withheld):
                np.multiply(table, slow, out=table)
            row.clicks, row.starts, row.bare = row.clicks * slow, row.starts * slow, row.bare * slow
            row.person_days, row.mails = row.person_days * fast, row.mails * fast
            row.worth, row.looks = row.worth * fast, row.looks * fast
        row.day = day


def decile_of(uplift: float) -> int:
    """The bin of a predicted uplift."""
    return int(np.clip(np.floor(np.log2(max(uplift, LEAST_UPLIFT) / LEAST_UPLIFT)), 0, DECILES - 1))


def _array(stored: bytes) -> Doubles:
    return np.frombuffer(stored, "<f8").copy()
