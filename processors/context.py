"""What the learned blend reads of a person: the latest actions, repeats and all, as arrays."""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.actions import SAVE, UNSAVE, evidence, weights
from processors.profile import Action, Profile
from processors.replica import Replica
from processors.trails import steps
from processors.visits import deed_of, latest_session

RECENT: Final = 20
"""Actions that attention is spread over."""
FADING: Final = 0.7
"""What an action weighs beside the one a moment later."""
LAG: Final = 12
"""How many actions back the replica's copy of the person's own session is looked for."""


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
    session: list[int]
    """Codes (processors/session_view.py) of the items of the latest session, the latest first, repeats and all."""
    own_slot: int | None
    """Where the replica holds that session, as far as it is known there."""


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
            by_action[action.kind] * FADING**passed * evidence(action.dwell_ms)
            for action, passed in zip(recent, moments, strict=True)
        ]
    )
    if len(attention):
        attention /= attention.sum()
    places: dict[str, int] = {}
    deeds = [places.setdefault(action.item_id, len(places)) for action in recent]
    session = latest_session(done)
    return Context(
        np.array(rows, np.intp),
        np.array(replica.numbers_of(ids, rows), np.intp),
        np.array([action.ts_ms for action in done], np.float64),
        attention,
        np.array(deeds, np.intp),
        replica.sessions.codes_of(ids[:session]),
        _own_slot(done[:session], replica),
    )


def _own_slot(session: list[Action], replica: Replica) -> int | None:
    """The learner lags: the replica may know the session up to an earlier action, or a later one as a session apart."""
    for action in session[:LAG]:
        slot = replica.sessions.slot_of(deed_of(action.topic, action.offset, action.ts_ms, action.item_id))
        if slot is not None:
            return slot
    return None


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
