"""What the workers tell the learner. Internal: MessagePack, structs as arrays."""

from typing import Final

from msgspec import Struct

from schemas.mail_labels import MailLabel, Weighed

RETIRED: Final = -2
"""The `action` of an example that says that its item was retired, and nothing else."""

ENDLESS: Final = -1


class Feedback(Struct, frozen=True, array_like=True):
    """What became of places of one list that was shown; the features are as they were when the list was decided."""

    outcome: int
    """0 shown, 1 acted on, 2 applied for: each place goes through them in this order, at any distance in time."""
    shown: int
    """A hash of the list, so that outcomes of one place can be put together."""
    places: tuple[int, ...]
    """From 0."""
    features: bytes
    """Half-precision numbers, little-endian, by place."""


class Example(Struct, frozen=True, array_like=True):
    """One applied event, with the person's history as it was *before* the event; nothing in it names the person.

    The learner takes an example once: `offset` must exceed the last one it took of the `source` partition.
    """

    partition: int
    offset: int
    ts_ms: int
    action: int
    item_id: str
    history: tuple[tuple[str, int, int], ...]
    """Distinct items acted on before, the latest first: (item_id, action, ts_ms)."""
    weight: float = 1.0
    candidates: bytes = b""
    """Of a sample of events, features as they were before the event: half-precision numbers, little-endian, by
    candidate; the item acted on first, then others drawn from the candidates of that moment."""
    features: int = 0
    """How many numbers there are for each candidate."""
    deed: int = 0
    """A hash of this action; 0 where none is told."""
    after: int = 0
    """The deed of the action before it in the same session, 0 where it begins one."""
    feedback: tuple[Feedback, ...] = ()
    """What the event says of lists that were shown. An example of an `action` of -1 says nothing else."""
    query: int = 0
    """A hash of what the person had asked for just before; 0 where they had not."""
    until_ms: int = 0
    """When the item expires; `ENDLESS` where it does not, 0 where the item was not known."""


class Lesson(Struct, frozen=True, array_like=True):
    """A value of the `learning` topic: examples of one input topic, in the order in which they were applied.

    Labels of mails come from timers and belong to no input topic: a lesson of the source `wake` has them alone.
    """

    source: str
    examples: tuple[Example, ...]
    labels: tuple[MailLabel, ...] = ()
    looks: tuple[Weighed, ...] = ()
