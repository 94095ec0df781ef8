"""What a worker tells the learner of a settled mail. Internal: MessagePack, structs as arrays."""

from msgspec import Struct


class MailLabel(Struct, frozen=True, array_like=True):
    """One mail 48 hours after it went out, with what was known of the person before; nothing in it names the person.

    Statistics by slot are 48 half-precision numbers, little-endian. The learner takes a label once, by its id.
    """

    id: int
    """64-bit hash of person and mail."""
    at_ms: int
    slot: int
    """Of the week, 0-167, local."""
    segment: str
    reward: float
    expected: float
    """The reward that was expected when it went out."""
    successes: bytes
    exposure: bytes
    activity: bytes
    predicted: float = 0.0
    """The reward that was expected, with what is known of the mail's stratum."""
    uplift: float = 0.0
    """The apply-starts that the mail was expected to bring."""
    stratum: int = 0
    fatigue: float = 0.0
    started: bool = False
    """Whether an apply-start followed within the window."""
    left: bool = False
    """Whether the person unsubscribed within the window."""
    is_withheld: bool = False
    """It was drawn not to go, so that its absence can be compared."""
    is_arm: bool = False
    """Of a person whose volume is drawn."""


class Weighed(Struct, frozen=True, array_like=True):
    """Somebody might have been written to: whether they were, and what it was worth."""

    id: int
    at_ms: int
    score: float
    """Uplift less the cost of leaving, in apply-starts."""
    sends: bool
    waited_d: float
    """Days since the person was last weighed."""
    budget: float
    """Mails a person and week that are aimed at."""
