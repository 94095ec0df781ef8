"""The policies by name: which lists, at which hour, and whether a mail goes at all.

| name | items | hour | whether |
|---|---|---|---|
| listing-10h | newest, the same for all | ten | daily |
| saved-search-10h | place and query of the saved searches, newest first | ten | daily |
| popular-10h | most acted on of late, near home | ten | daily |
| nightly-batch | the pipeline's, frozen at midnight UTC | ten | daily |
| attune | the pipeline's | the person's most active | worth it, 1 a day, 4 a week |
| fixed-time | the pipeline's | ten | as attune |
| random-items | drawn from what may be shown | as attune | as attune, by the pipeline's list |
| always-send | the pipeline's | as attune | daily |
| oracle | truly best | truly best | daily |
| oracle-time | the pipeline's | truly best | as attune |

A later policy is one more line of `POLICIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from evaluation.policies.audience import Audience
from evaluation.policies.lists import Lists, Newest, Popular, SavedSearch
from evaluation.policies.model_lists import LiveLists, NightlyLists, RandomLists
from evaluation.policies.oracle import OracleLists, best_hour
from evaluation.policies.send_rule import HourRule, MailRule, at_ten, daily, most_active, worth_it
from processors.pack import Pack
from simulation.world import World


class Policy(Struct, frozen=True):
    """All that distinguishes one policy from another.

    `capped`: 1 mail a day and 4 a week at most, and a rest of three days after one that was not worth sending.
    """

    lists: Lists
    hour: HourRule
    whether: MailRule
    capped: bool


Build = Callable[[World, Pack, Audience], Policy]

POLICIES: Final[dict[str, Build]] = {
    "listing-10h": lambda world, pack, audience: Policy(Newest(audience), at_ten, daily, capped=False),
    "saved-search-10h": lambda world, pack, audience: Policy(SavedSearch(audience), at_ten, daily, capped=False),
    "popular-10h": lambda world, pack, audience: Policy(Popular(audience), at_ten, daily, capped=False),
    "nightly-batch": lambda world, pack, audience: Policy(NightlyLists(pack), at_ten, daily, capped=False),
    "attune": lambda world, pack, audience: Policy(LiveLists(pack), most_active, worth_it, capped=True),
    "fixed-time": lambda world, pack, audience: Policy(LiveLists(pack), at_ten, worth_it, capped=True),
    "random-items": lambda world, pack, audience: Policy(RandomLists(pack), most_active, worth_it, capped=True),
    "always-send": lambda world, pack, audience: Policy(LiveLists(pack), most_active, daily, capped=False),
    "oracle": lambda world, pack, audience: Policy(OracleLists(audience, world), best_hour(world), daily, capped=False),
    "oracle-time": lambda world, pack, audience: Policy(LiveLists(pack), best_hour(world), worth_it, capped=True),
}
