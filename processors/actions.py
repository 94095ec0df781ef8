"""The kinds of action a person takes on an item, as small integers that travel in profiles and lessons."""

from typing import Final

from processors.pack import ActionWeights
from schemas.behaviour import Apply, Event, Save, View

VIEW: Final = 0
SAVE: Final = 1
APPLY_START: Final = 2
APPLY: Final = 3
UNSAVE: Final = 4

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


def weights(pack: ActionWeights) -> tuple[float, ...]:
    """The pack's weight by action; taking a save back weighs nothing."""
    return (pack.view, pack.save, pack.apply_start, pack.apply, 0.0)
