"""What may come of a step: a probe, which is nobody, gets lists and nothing else."""

from processors.effects import Effect, Recommend, Wake
from schemas.probes import is_probe


def permitted(key: bytes, effects: list[Effect]) -> list[Effect]:
    """The effects that are carried out for this key."""
    if not is_probe(key):
        return effects
    lists = (Recommend, Wake)
    return [each for each in effects if isinstance(each, lists) and getattr(each, "kind", "recommend") == "recommend"]
