"""The parts of a mailing decision that an evaluation may replace, to ask what one of them is worth."""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from processors.campaigns import ledger
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import Decided, decide
from processors.replica import Replica
from processors.send_decision import LEARNED, HourModel
from schemas.decisions import RecommendedItem

Items = tuple[RecommendedItem, ...]


def listed_now(profile: Profile, user_id: str, now_ms: int, replica: Replica, size: int) -> Decided:
    """The pipeline's list at that moment, of what no mail held of late: caps count what the mail will hold, no more."""
    withheld = None if profile.sending is None else partial(ledger.repeats, profile.sending, now_ms, replica)
    rng = Randomness(f"{user_id}/{now_ms}")
    return decide(profile, now_ms, replica, rng, size, by_mail=True, withheld=withheld)


class Ways(Struct, frozen=True):
    """How hours are valued, whether worth is asked, and what a mail holds."""

    hours: HourModel = LEARNED
    campaigns: bool = True
    """Whether there are occasions besides the list."""
    always: bool = False
    """Whether a mail goes whatever it is worth."""
    items: Callable[[Profile, str, int, Replica, int], Decided] = listed_now


DEFAULT_WAYS: Final = Ways()
