"""Which actions of a person are one session: each less than `GAP_MS` after the one before.

Actions are chained: an example names its own action and the one before it in the session by hashes (`deed_of`), so that
sessions of many people can be put together from one stream of examples, in whatever way they interleave, and nothing in
the stream names a person.
"""

from collections.abc import Sequence
from typing import Final

from processors.actions import UNSAVE
from processors.identity import hash64
from processors.profile import Action, Profile

GAP_MS: Final = 30 * 60_000
"""The pause that ends a session, as usual in web analytics."""


def deed_of(topic: str, offset: int, ts_ms: int, item_id: str) -> int:
    """The identity of one action, never 0."""
    return hash64(f"{topic}/{offset}/{ts_ms}/{item_id}") or 1


def before(profile: Profile, topic: str, offset: int, ts_ms: int, item_id: str) -> int:
    """The deed that an action of a profile, which need not know it yet, continues; 0 where it begins a session."""
    place = (ts_ms, topic, offset, item_id)
    for action in reversed(profile.actions):
        if action.kind != UNSAVE and (action.ts_ms, action.topic, action.offset, action.item_id) < place:
            if ts_ms - action.ts_ms >= GAP_MS:
                return 0
            return deed_of(action.topic, action.offset, action.ts_ms, action.item_id)
    return 0


def latest_session(done: Sequence[Action]) -> int:
    """How many of `done`, the latest first, are the latest session.

    >>> done = [Action(ts_ms, "views", 0, "a", 0) for ts_ms in (GAP_MS + 9, GAP_MS, 1, 0)]
    >>> latest_session(done), latest_session(done[:1]), latest_session([])
    (4, 1, 0)
    >>> latest_session([Action(2 * GAP_MS, "views", 0, "a", 0), *done[2:]])
    1
    """
    for count in range(1, len(done)):
        if done[count - 1].ts_ms - done[count].ts_ms >= GAP_MS:
            return count
    return len(done)
