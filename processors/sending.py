"""What is kept of one person for sending mail: hours of success, of exposure and of activity, recent mails, the plan.

At most 1.2 KB encoded, and 40 bytes for each item watched (16 at most). Hours lie in 48 slots (processors/week.py) as
little-endian float16, all decayed to the start of `day`: a touch years later multiplies once, nothing scans. Nothing
here depends on the order between topics: a mail's send, opens and clicks meet in one entry whichever comes first, and
what an entry amounts to is computed when it is read or when it makes room for a later one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.week import DAY_MS, FOLDED, Doubles

MAX_MAILS: Final = 16
SUCCESS_HALF_LIFE_D: Final = 60.0
ACTIVITY_HALF_LIFE_D: Final = 60.0
STORED: Final = np.dtype("<f2")
"""Of hours as they are kept: an answer at one of 87 (as many as 60 days remember) is ten steps of it."""
STORED_BEFORE: Final = np.dtype("<f4")
"""As they were first kept, and are still read."""

DECIDED, SENT, SILENCE, TAUGHT, EXPLORED, STARTED, LEFT = 1, 2, 4, 8, 16, 32, 64
"""Flags of a mail: decided here; reported by `sends`; withheld at random, so that its absence can be compared;
already taught; sent or withheld at random; an apply-start, or their leaving, followed within the window."""

Halves = npt.NDArray[np.float16]


class Mail(Struct, array_like=True):
    """One mail, or one that was withheld at random. Times are in seconds; 0 is never."""

    id: int
    """Half of hash64(send_id)."""
    at_s: int
    """When it went out; until `sends` tells, when it was decided; before either, its first open or click."""
    slot: int = -1
    """0-47, -1 while the send is not known."""
    expected: int = 0
    """The reward that was expected, in millionths."""
    clicked_s: int = 0
    """The first click of a person."""
    opened_s: int = 0
    """The first open of a person."""
    flags: int = 0
    news: int = 0
    """How many of its items were new to the person, at most 255."""


class Plan(Struct, array_like=True, frozen=True):
    """The next mail, as it was published."""

    send_at_ms: int
    slot: int
    tz: str
    propensity: float | None = None
    """Read in states of before, written no more, as the next: the published decision has both."""
    made_ms: int | None = None


class Watched(Struct, array_like=True):
    """An item as a person saw it: when, at which price (None: none was stated), and whether it could not be had."""

    seen_s: int
    price: float | None
    is_out: bool = False


class Due(Struct, array_like=True):
    """What recovery reads: when the mailing of this person is next to be looked at."""

    due_ms: int | None = None


class Sending(Due, array_like=True):
    """All of it, for one person."""

    plan: Plan | None = None
    day: int = 0
    """Days since the epoch to which the hours are decayed."""
    successes: bytes = b""
    exposure: bytes = b""
    activity: bytes = b""
    sends: float = 0.0
    """Settled mails, decayed like the successes."""
    mails: list[Mail] = []
    """The latest `MAX_MAILS`, in the order of `at_s`."""
    seen_ms: int = 0
    """When they last did something by themselves."""
    left_ms: int = 0
    """When they unsubscribed, complained, or their address was found not to exist."""
    mailed: bytes = b""
    """The exposure ledger as it was first kept; read, and written no more."""
    looked_ms: int = 0
    """When a mail was last weighed."""
    refused: str = ""
    """Why no mail goes, as last published; empty while a plan stands."""
    told_zone: str = ""
    """The zone in which the hours were counted; empty: UTC, none having been told."""
    watched: dict[str, Watched] = {}
    """Items with a price, or that could not be had, as last seen (campaigns/watched.py)."""
    ledger: bytes = b""
    """Which items mails held (campaigns/ledger.py)."""
    packed_mails: bytes = b""
    """`mails` while they travel (processors/sending_wire.py); empty in memory."""


def read_hours(stored: bytes, day: int, now_ms: int, half_life_d: float) -> Doubles:
    """The 48 values as of `now_ms`.

    >>> float(read_hours(np.ones(48, STORED).tobytes(), 0, 60 * DAY_MS, 60.0)[0])
    0.5
    """
    if not stored:
        return np.zeros(FOLDED)
    values = stored_hours(stored).astype(np.float64)
    values *= 2.0 ** ((day - now_ms // DAY_MS) / half_life_d)
    return values


def advance(state: Sending, ts_ms: int) -> None:
    """Decay the hours to the day of `ts_ms`, if that is later than the one they are decayed to."""
    day = ts_ms // DAY_MS
    if day <= state.day:
        return
    state.successes = _decayed(state.successes, day - state.day, SUCCESS_HALF_LIFE_D)
    state.sends *= 2.0 ** ((state.day - day) / SUCCESS_HALF_LIFE_D)
    state.exposure = _decayed(state.exposure, day - state.day, SUCCESS_HALF_LIFE_D)
    state.activity = _decayed(state.activity, day - state.day, ACTIVITY_HALF_LIFE_D)
    state.day = day


def added(stored: bytes, day: int, slot: int, ts_ms: int, weight: float, half_life_d: float) -> bytes:
    """The hours with `weight` at `ts_ms` added to a slot; a contribution older than `day` arrives decayed."""
    values = stored_hours(stored).copy() if stored else np.zeros(FOLDED, STORED)
    values[slot] += weight * 2.0 ** ((ts_ms // DAY_MS - day) / half_life_d)
    return values.tobytes()


def stored_hours(stored: bytes) -> Halves:
    """The 48 values as they are kept.

    >>> stored_hours(np.ones(48, STORED_BEFORE).tobytes()).dtype == STORED
    True
    """
    if len(stored) == FOLDED * STORED_BEFORE.itemsize:
        return np.frombuffer(stored, STORED_BEFORE).astype(STORED)
    return np.frombuffer(stored, STORED)


def _decayed(stored: bytes, days: int, half_life_d: float) -> bytes:
    if not stored:
        return b""
    decayed: Doubles = np.multiply(stored_hours(stored), 2.0 ** (-days / half_life_d), dtype=np.float64)
    return decayed.astype(STORED).tobytes()
