"""What all mails together teach about hours: the learner's tables, one for everybody and one for each segment.

A table travels as the row `hours/<segment>` (`hours/` is everybody) with everything that estimates need; the row
`hours-taken/ring` holds the ids of the labels taken last, because labels come from timers, which have no offsets.
"""

from collections import deque
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from processors.hour_estimate import Shape, usual_hours
from processors.hour_learning import Evidence, estimates, fade, learned_shape, likely, observe
from processors.mail_worth import KEY as WORTH_KEY
from processors.mail_worth import WorthTable
from processors.model_rows import row_key
from processors.segment_lift import STRENGTHS, Shrinkage, Table, learned_shrinkage, lift, lifts_at
from processors.week import DAY_MS, FOLD, FOLDED, WEEK, Doubles
from schemas.mail_labels import MailLabel, Weighed

KIND: Final = "hours"
RING: Final = "hours-taken"
EVERYBODY: Final = ""
MAX_SEGMENTS: Final = 64
HALF_LIFE_D: Final = 180.0
RING_LABELS: Final = 4_096
BASE_PSEUDO: Final = (1.0, 10.0)
"""Rewards and sends that the base rate starts from."""


_STRENGTHS: Final = (len(STRENGTHS), len(STRENGTHS))


class HoursRow(Struct, array_like=True, frozen=True):
    """The value of a row; arrays are float64, little-endian."""

    offset: int
    day: int
    sends: float
    rewards: float
    successes: bytes
    exposure: bytes
    population: bytes
    log_score: bytes
    expected: bytes
    strengths_log_score: bytes = b""
    """Of how strongly lifts are shrunk; everybody's row alone has it."""
    strengths_expected: bytes = b""
    strengths_rewards: float = 0.0


class RingRow(Struct, array_like=True, frozen=True):
    """Ids of labels, the oldest first."""

    offset: int
    ids: list[int]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_hours: Final = msgspec.msgpack.Decoder(HoursRow).decode
_decode_ring: Final = msgspec.msgpack.Decoder(RingRow).decode


class Hours:
    """One table, live."""

    def __init__(self) -> None:
        self.table = Table.empty()
        self.evidence = Evidence.empty()
        self.strengths = Evidence.empty(_STRENGTHS)
        self.population: Doubles = np.zeros(FOLDED)
        self.day = 0
        self.offset = -1

    @property
    def base_rate(self) -> float:
        """The mean reward of a mail."""
        won, sent = BASE_PSEUDO
        return (float(self.table.successes.sum()) + won) / (self.table.sends + sent)

    def advance(self, day: int) -> None:
        """Decay to a later day."""
        if day > self.day:
            factor = 2.0 ** ((self.day - day) / HALF_LIFE_D) if self.day else 1.0
            self.table.successes *= factor
            self.table.exposure *= factor
            self.table.sends *= factor
            self.population *= factor
            fade(self.evidence, factor)
            fade(self.strengths, factor)
            self.day = day

    def row(self) -> bytes:
        evidence, table, strengths = self.evidence, self.table, self.strengths
        has = strengths.rewards > 0.0
        return _encode(
            HoursRow(
                self.offset, self.day, table.sends, evidence.rewards, table.successes.tobytes(),
                table.exposure.tobytes(), self.population.tobytes(), evidence.log_score.tobytes(),
                evidence.expected.tobytes(), strengths.log_score.tobytes() if has else b"",
                strengths.expected.tobytes() if has else b"", strengths.rewards,
            )
        )  # fmt: skip

    @classmethod
    def of(cls, value: bytes) -> "Hours":
        """Raises msgspec.ValidationError where the bytes are no such row."""
        row, hours = _decode_hours(value), cls()
        shape = hours.evidence.expected.shape
        hours.offset, hours.day = row.offset, row.day
        hours.table = Table(_doubles(row.successes), _doubles(row.exposure), row.sends)
        hours.population = _doubles(row.population)
        if len(row.expected) == hours.evidence.expected.nbytes:  # else the grid has changed: learned anew
            hours.evidence = Evidence(
                _doubles(row.log_score).reshape(shape), _doubles(row.expected).reshape(shape), row.rewards
            )
        if len(row.strengths_expected) == hours.strengths.expected.nbytes:
            hours.strengths = Evidence(
                _doubles(row.strengths_log_score).reshape(_STRENGTHS),
                _doubles(row.strengths_expected).reshape(_STRENGTHS),
                row.strengths_rewards,
            )
        return hours


class HourTables:
    """The learner's half: takes each label once."""

    kind: Final = KIND

    def __init__(self) -> None:
        self.by_segment: dict[str, Hours] = {EVERYBODY: Hours()}
        self._dirty: set[str] = set()
        self._taken: deque[int] = deque(maxlen=RING_LABELS)
        self._known: set[int] = set()
        self.worth = WorthTable()

    def learn_label(self, label: MailLabel, offset: int) -> bool:
        """Learn from one settled mail; returns whether it was new."""
        if not self._is_new(label.id):
            return False
        self.worth.learn_label(label, offset)
        if label.is_withheld:
            return True
        everybody = self.by_segment[EVERYBODY]
        activity = _halves(label.activity)
        slot = int(FOLD[label.slot])
        theta = estimates(slot, _halves(label.successes), _halves(label.exposure), activity, everybody.population)
        names, own = [EVERYBODY], None
        if label.segment and (label.segment in self.by_segment or len(self.by_segment) <= MAX_SEGMENTS):
            names.append(label.segment)
            own = self.by_segment.setdefault(label.segment, Hours()).table
        expected = max(label.expected, 1e-4)
        lifts = lifts_at(label.slot, everybody.table, own)
        mu = theta * (expected * likely(everybody.strengths, lifts))
        by_strengths = lifts * (expected * likely(everybody.evidence, theta))
        for name in names:
            hours = self.by_segment[name]
            hours.advance(label.at_ms // DAY_MS)
            weight = 2.0 ** min(0.0, (label.at_ms // DAY_MS - hours.day) / HALF_LIFE_D)
            hours.table.successes[label.slot] += weight * label.reward
            hours.table.exposure[label.slot] += weight * expected
            hours.table.sends += weight
            hours.population += weight * activity
            observe(hours.evidence, weight * mu, weight * label.reward)
            if name == EVERYBODY:
                observe(hours.strengths, weight * by_strengths, weight * label.reward)
            hours.offset = offset
            self._dirty.add(name)
        return True

    def learn_look(self, look: Weighed, offset: int) -> bool:
        """Learn of somebody who might have been written to; returns whether it was new."""
        if not self._is_new(look.id):
            return False
        self.worth.learn_look(look, offset)
        return True

    def _is_new(self, identifier: int) -> bool:
        if identifier in self._known:
            return False
        if len(self._taken) == RING_LABELS:
            self._known.discard(self._taken[0])
        self._taken.append(identifier)
        self._known.add(identifier)
        return True

    def dirty_rows(self) -> dict[bytes, bytes]:
        """Rows changed since the last call."""
        if not self.worth.is_dirty:
            return {}
        rows = {row_key(KIND, name): self.by_segment[name].row() for name in sorted(self._dirty)}
        rows[row_key(RING, "ring")] = _encode(RingRow(self.worth.row.offset, list(self._taken)))
        rows[WORTH_KEY] = self.worth.take_row()
        self._dirty.clear()
        return rows

    def load(self, rows: dict[str, bytes], ring: dict[str, bytes], worth: dict[str, bytes]) -> None:
        """Take recovered tables, and the ids of the labels that they know."""
        for name, value in rows.items():
            self.by_segment[name] = Hours.of(value)
        for value in worth.values():
            self.worth.load(value)
        for value in ring.values():
            self._taken.extend(_decode_ring(value).ids)
        self._known = set(self._taken)


class HoursView:
    """The replica's half: what decisions read."""

    def __init__(self) -> None:
        self._by_segment: dict[str, Hours] = {EVERYBODY: Hours()}
        self._lifts: dict[str, Doubles] = {}
        self._shapes: dict[str, Shape] = {}
        self._shrinkage = Shrinkage()
        self._usual: dict[int, Doubles] = {}
        self.base_rate = self._by_segment[EVERYBODY].base_rate
        """The mean reward of a mail."""

    def put(self, segment: str, value: bytes) -> None:
        """Take over a row."""
        self._by_segment[segment] = Hours.of(value)
        if segment == EVERYBODY:
            self._lifts.clear()
            self._shapes.clear()
            self._usual.clear()
            self.base_rate = self._by_segment[EVERYBODY].base_rate
            self._shrinkage = learned_shrinkage(self._by_segment[EVERYBODY].strengths)
        else:
            self._lifts.pop(segment, None)
            self._shapes.pop(segment, None)

    @property
    def population(self) -> Doubles:
        """Everybody's hours on the site, 48 slots."""
        return self._by_segment[EVERYBODY].population

    def usual_hours(self, shape: Shape) -> Doubles:
        """Everybody's hours on the site as the shape smooths them."""
        found = self._usual.get(shape.activity)
        if found is None:
            found = self._usual[shape.activity] = usual_hours(self.population, shape.activity)
        return found

    def lift(self, segment: str) -> Doubles:
        """L(s), 168 slots."""
        if segment not in self._by_segment:
            segment = EVERYBODY
        found = self._lifts.get(segment)
        if found is None:
            towards, strength = np.ones(WEEK), self._shrinkage.everybody
            if segment != EVERYBODY:
                towards, strength = self.lift(EVERYBODY), self._shrinkage.segment
            found = self._lifts[segment] = lift(self._by_segment[segment].table, towards, strength)
        return found

    def shape(self, segment: str) -> Shape:
        """How hours of this segment's people are to be estimated."""
        own = self._by_segment.get(segment) if segment else None
        key = segment if own is not None else EVERYBODY
        found = self._shapes.get(key)
        if found is None:
            everybody = self._by_segment[EVERYBODY].evidence
            found = self._shapes[key] = learned_shape(everybody, own.evidence if own is not None else None)
        return found


def _doubles(stored: bytes) -> Doubles:
    return np.frombuffer(stored, "<f8").copy()


def _halves(stored: bytes) -> Doubles:
    return np.frombuffer(stored, "<f2").astype(np.float64)
