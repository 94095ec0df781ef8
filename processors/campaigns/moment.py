"""What campaigns look at, and what they say."""

from functools import cached_property
from typing import Final

import numpy as np
from msgspec import Struct

from processors.campaigns.ledger import is_repeat
from processors.eligibility import eligible
from processors.occasions import Occasions
from processors.profile import Profile
from processors.replica import Replica
from processors.sending import Sending
from processors.taste import Taste, taste_of
from schemas.decisions import Campaign

MAX_TITLE: Final = 80


class Pick(Struct, frozen=True):
    """One item of a mail, and why."""

    item_id: str
    reason: str


class Proposal(Struct, frozen=True):
    """What a campaign would write: the items it is about, what goes with them, and why at all."""

    campaign: Campaign
    leads: tuple[Pick, ...]
    subject: str
    reason: str
    others: tuple[Pick, ...] = ()


class Moment:
    """One person at one time. Nothing is changed through it."""

    def __init__(self, profile: Profile, state: Sending, user_id: str, now_ms: int, replica: Replica) -> None:
        self.profile, self.state, self.user_id, self.now_ms, self.replica = profile, state, user_id, now_ms, replica

    @property
    def occasions(self) -> Occasions:
        return self.replica.pack.occasions

    @cached_property
    def taste(self) -> Taste:
        return taste_of(self.profile, self.now_ms, self.replica)

    def may_hold(self, item_id: str) -> bool:
        """Whether a mail may hold this item now: it may be shown to the person and is no repeat."""
        row = self.replica.catalogue.row_of(item_id)
        if row is None or not eligible(np.array([row], np.intp), self.taste, self.now_ms, self.replica)[0]:
            return False
        return not is_repeat(self.state, item_id, self.now_ms, self.replica)

    def title(self, item_id: str) -> str:
        """The title, cut to what fits a subject."""
        row = self.replica.catalogue.row_of(item_id)
        title = self.replica.catalogue.title(row) if row is not None else ""
        return title if 0 < len(title) <= MAX_TITLE else f"{title[:MAX_TITLE]}…" if title else "One"
