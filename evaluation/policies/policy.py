"""The policies by name: which lists, at which hour, and whether a mail goes at all.

| name | items | hour | whether |
|---|---|---|---|
| listing-10h | newest, the same for all | ten | daily |
| saved-search-10h | place and query of the saved searches, newest first | ten | daily |
| popular-10h | most acted on of late, near home | ten | daily |
| nightly-batch | the pipeline's, frozen at midnight UTC | ten | daily |
| attune | the pipeline's | learned (docs/sending.md) | as the pipeline decides |
| digest-only | as attune, without any campaign but the digest | as attune | as attune |
| segment-only | as attune | what is usual for the segment | as attune |
| no-activity | as attune | learned, but not from hours on the site | as attune |
| open-histogram | as attune | the person's most frequent hour of opens: a control | as attune |
| independent-thompson | as attune | Thompson sampling per person and hour: a control | as attune |
| fixed-time | as attune | ten | as attune |
| most-active | as attune | the person's most active | three new items, 1 a day, 4 a week |
| random-items | drawn from what may be shown | as attune | as attune |
| always-send | as attune | as attune | daily |
| oracle | truly best | truly best | daily |
| oracle-time | as attune | truly best | as attune |

A later policy is one more line of `POLICIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from evaluation.policies.audience import Audience
from evaluation.policies.lists import Lists, Newest, Popular, SavedSearch
from evaluation.policies.mail_hours import FIXED, NO_ACTIVITY, SEGMENT_ONLY, independent_thompson, open_histogram
from evaluation.policies.mailing_lists import Instead, MailingLists, always, drawn_evenly
from evaluation.policies.model_lists import LiveLists, NightlyLists
from evaluation.policies.oracle import OracleLists, best_hour, true_hours
from evaluation.policies.send_rule import HourRule, MailRule, at_ten, daily, most_active, worth_it
from processors.pack import Pack
from processors.send_decision import LEARNED, HourModel
from simulation.world import World


class Policy(Struct, frozen=True):
    """All that distinguishes one policy from another.

    `capped`: 1 mail a day and 4 a week at most, and a rest of three days after one that was not worth sending.
    """

    lists: Lists
    hour: HourRule
    whether: MailRule
    capped: bool
    mailing: MailingLists | None = None
    """Where mail is the pipeline's own decision, `hour`, `whether` and `capped` are not asked."""


def pipelines_own(lists: MailingLists) -> Policy:
    """Lists and mails as the pipeline decides them."""
    return Policy(lists, at_ten, daily, capped=False, mailing=lists)


def _decided(
    pack: Pack, hours: HourModel, instead: Instead | None = None, whatever: bool = False, campaigns: bool = True
) -> Policy:
    return pipelines_own(MailingLists(pack, hours, instead, whatever, campaigns))


Build = Callable[[World, Pack, Audience], Policy]

POLICIES: Final[dict[str, Build]] = {
    "listing-10h": lambda world, pack, audience: Policy(Newest(audience), at_ten, daily, capped=False),
    "saved-search-10h": lambda world, pack, audience: Policy(SavedSearch(audience), at_ten, daily, capped=False),
    "popular-10h": lambda world, pack, audience: Policy(Popular(audience), at_ten, daily, capped=False),
    "nightly-batch": lambda world, pack, audience: Policy(NightlyLists(pack), at_ten, daily, capped=False),
    "attune": lambda world, pack, audience: _decided(pack, LEARNED),
    "digest-only": lambda world, pack, audience: _decided(pack, LEARNED, campaigns=False),
    "segment-only": lambda world, pack, audience: _decided(pack, SEGMENT_ONLY),
    "no-activity": lambda world, pack, audience: _decided(pack, NO_ACTIVITY),
    "fixed-time": lambda world, pack, audience: _decided(pack, FIXED),
    "most-active": lambda world, pack, audience: Policy(LiveLists(pack), most_active, worth_it, capped=True),
    "random-items": lambda world, pack, audience: _decided(pack, LEARNED, drawn_evenly),
    "always-send": lambda world, pack, audience: _decided(always(pack), LEARNED, whatever=True),
    "open-histogram": lambda world, pack, audience: _decided(pack, open_histogram(audience)),
    "independent-thompson": lambda world, pack, audience: _decided(pack, independent_thompson(audience)),
    "oracle": lambda world, pack, audience: Policy(OracleLists(audience, world), best_hour(world), daily, capped=False),
    "oracle-time": lambda world, pack, audience: _decided(pack, true_hours(world)),
}
