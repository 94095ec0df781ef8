"""What the workers tell the learner. Internal: MessagePack, structs as arrays."""

from msgspec import Struct


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


class Lesson(Struct, frozen=True, array_like=True):
    """A value of the `learning` topic: examples of one input topic, in the order in which they were applied."""

    source: str
    examples: tuple[Example, ...]
