"""The kinds of action a person takes on an item, as small integers that travel in profiles and lessons."""

from typing import Final

from processors.pack import ActionWeights
from schemas.behaviour import Apply, Event, Save, View

VIEW: Final = 0
SAVE: Final = 1
APPLY_START: Final = 2
APPLY: Final = 3
UNSAVE: Final = 4

BOUNCE_MS: Final = 5_000
BOUNCE: Final = 0.5
"""What a look shorter than `BOUNCE_MS` counts."""
NAMES: Final = ("view", "save", "apply_start", "apply", "unsave")
VERBS: Final = ("viewed", "saved", "started to apply for", "applied for", "unsaved")


def action_of(event: Event) -> int | None:
    """The action that an event is, or None where it is no action on an item."""
    match event:
        case View():
            return VIEW
        case Save(undo=undo):
            return UNSAVE if undo else SAVE
        case Apply(stage=stage):
            return APPLY_START if stage == "start" else APPLY
        case _:
            return None


def evidence(dwell_ms: int | None) -> float:
    """What a look of that length says beside one of unknown length: a bounce says half.

    >>> evidence(900), evidence(60_000), evidence(None)
    (0.5, 1.0, 1.0)
    """
    return BOUNCE if dwell_ms is not None and dwell_ms < BOUNCE_MS else 1.0


def weights(pack: ActionWeights) -> tuple[float, ...]:
    """The pack's weight by action; taking a save back weighs nothing."""
    return (pack.view, pack.save, pack.apply_start, pack.apply, 0.0)
