"""What a person did with each item of late: what nudges and mails about endings are made of."""

from msgspec import Struct

from processors.actions import APPLY, APPLY_START, SAVE, UNSAVE, VIEW
from processors.profile import Profile


class Interest(Struct):
    """One item, since the last time it was applied for or bought."""

    views: int = 0
    saved: bool = False
    started: bool = False
    last_ms: int = 0

    @property
    def strength(self) -> tuple[bool, bool, int, int]:
        """The larger, the closer to the deed."""
        return self.started, self.saved, self.views, self.last_ms


def interests(profile: Profile, since_ms: int) -> dict[str, Interest]:
    """Item -> what was done with it since a time; an item that was applied for or bought begins anew.

    >>> from processors.profile import Action
    >>> looked, bought = Action(5, "views", 0, "a", VIEW), Action(6, "applies", 0, "a", APPLY)
    >>> found = interests(Profile(actions=[looked, bought, Action(7, "saves", 0, "b", SAVE)]), 0)
    >>> list(found), found["b"].saved
    (['b'], True)
    """
    found: dict[str, Interest] = {}
    for action in profile.actions:
        if action.ts_ms < since_ms:
            continue
        if action.kind == APPLY:
            found.pop(action.item_id, None)
            continue
        interest = found.setdefault(action.item_id, Interest())
        interest.last_ms = action.ts_ms
        if action.kind == VIEW:
            interest.views += 1
        elif action.kind in (SAVE, UNSAVE):
            interest.saved = action.kind == SAVE
        elif action.kind == APPLY_START:
            interest.started = True
    return found
