"""What the learned blend reads of a person: the latest actions, repeats and all, as arrays."""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.actions import SAVE, UNSAVE, weights
from processors.profile import Action, Profile
from processors.replica import Replica
from processors.trails import steps

RECENT: Final = 20
"""Actions that attention is spread over."""
FADING: Final = 0.7
"""What an action weighs beside the one a moment later."""
BOUNCE_MS: Final = 5_000
BOUNCE: Final = 0.5
"""What a look shorter than `BOUNCE_MS` counts."""


class Context(Struct, frozen=True):
    """One entry an action, the latest first; at most as many as a profile keeps."""

    rows: npt.NDArray[np.intp]
    """0 where the item is not live."""
    numbers: npt.NDArray[np.intp]
    """The learner's, 0 where nothing was learned of the item."""
    ts_ms: npt.NDArray[np.float64]
    attention: npt.NDArray[np.float64]
    """Of the first `RECENT`, summing to 1."""
    deeds: npt.NDArray[np.intp]
    """Which deed of a taste (processors/taste.py), where repeats are one, each of the first `RECENT` belongs to."""


def context_of(profile: Profile, now_ms: int, replica: Replica) -> Context:
    """The context of one person at `now_ms`; saves that were taken back are no actions."""
    done = _done(profile)
    ids = [action.item_id for action in done]
    rows = replica.catalogue.rows_of(ids)
    by_action = weights(replica.pack.actions)
    recent = done[:RECENT]
    moments = steps([action.ts_ms for action in recent], now_ms)
    attention = np.array(
        [
            by_action[action.kind]
            * FADING**passed
            * (BOUNCE if action.dwell_ms is not None and action.dwell_ms < BOUNCE_MS else 1.0)
            for action, passed in zip(recent, moments, strict=True)
        ]
    )
    if len(attention):
        attention /= attention.sum()
    deed_of: dict[str, int] = {}
    deeds = [deed_of.setdefault(action.item_id, len(deed_of)) for action in recent]
    return Context(
        np.array(rows, np.intp),
        np.array(replica.numbers_of(ids, rows), np.intp),
        np.array([action.ts_ms for action in done], np.float64),
        attention,
        np.array(deeds, np.intp),
    )


def _done(profile: Profile) -> list[Action]:
    if all(action.kind != UNSAVE for action in profile.actions):
        return profile.actions[::-1]
    done: list[Action] = []
    unsaved: set[str] = set()
    for action in reversed(profile.actions):
        if action.kind == UNSAVE:
            unsaved.add(action.item_id)
        elif action.kind != SAVE or action.item_id not in unsaved:
            done.append(action)
    return done
