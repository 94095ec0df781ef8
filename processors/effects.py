"""What a step wants done, as data. The room above carries it out; nothing here does I/O."""

from typing import Literal

from msgspec import Struct

from schemas.behaviour import Event
from schemas.catalogue import User
from schemas.decisions import Digest, ErasureReceipt, Recommendation, SendTime
from schemas.decode import Retired
from schemas.learning import Example
from schemas.mail_labels import MailLabel, Weighed


class Arrival(Struct, frozen=True):
    """One decoded record and where it came from: its source is its identity."""

    event: Event | User | Retired
    topic: str
    partition: int
    offset: int
    appended_ms: int
    """When the broker took it (ms, UTC)."""

    @property
    def source_id(self) -> str:
        """The deterministic id of what follows from this record."""
        return f"{self.topic}-{self.partition}-{self.offset}"


class Learn(Struct, frozen=True):
    """Teach the global models."""

    example: Example


class Untaught(Struct, frozen=True):
    """An action that teaches nothing, because its person taught as much as one person may."""


class Recommend(Struct, frozen=True):
    """Publish a list."""

    recommendation: Recommendation


class Forget(Struct, frozen=True):
    """Tell every consumer of decisions to drop what it holds of a person."""

    user_id: str


class Receipt(Struct, frozen=True):
    """Publish how far an erasure has come."""

    receipt: ErasureReceipt


class Wake(Struct, frozen=True):
    """Wake this person at `due_ms`; the profile says so too, this is for the timer at hand."""

    due_ms: int
    kind: Literal["recommend", "erase", "mail"] = "recommend"


class Planned(Struct, frozen=True):
    """Publish when a person's next mail goes, or why none does."""

    decision: SendTime


class Mailing(Struct, frozen=True):
    """Publish a mail that is due now."""

    digest: Digest


class TeachMail(Struct, frozen=True):
    """Teach the global models what came of a mail."""

    label: MailLabel


class TeachLook(Struct, frozen=True):
    """Teach the price of mail that somebody might have been written to."""

    look: Weighed


class Stale(Struct, frozen=True):
    """A due was too old to act on: to be counted."""

    kind: Literal["mail"]


Effect = Learn | Untaught | Recommend | Forget | Receipt | Wake | Planned | Mailing | TeachMail | TeachLook | Stale
