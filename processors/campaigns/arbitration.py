"""Which occasion a mail is about: nudge > closing > price = stock > alert > complements > digest > reactivation.

A person gets one mail, within the caps. The first occasion in this order gives it its name, its subject and its first
places. The others are merged: their items follow, each with its own reason, and the list fills the rest. What finds no
room is deferred to the next mail, and the mail's reasons say so.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import Struct, structs

from processors.campaigns import alert, closing, complements, ledger, nudge, price, stock
from processors.campaigns.moment import Moment, Pick, Proposal
from processors.campaigns.reactivation import step_of
from processors.consent import Suppression
from processors.recommend import Decided
from processors.response import FEATURES, Matrix
from schemas.decisions import Campaign, RecommendedItem

PROPOSERS: Final[tuple[tuple[str, Callable[[Moment], Proposal | None]], ...]] = (
    ("nudge", nudge.propose),
    ("closing", closing.propose),
    ("price", price.propose),
    ("stock", stock.propose),
    ("alert", alert.propose),
    ("complements", complements.propose),
)
MAX_SUBJECT: Final = 150
NO_FEATURES: Final = np.zeros((0, len(FEATURES)))


class Composed(Struct, frozen=True):
    """A mail as it would go. `listed` are the item ids that came from the list, with their `features`."""

    campaign: Campaign
    items: tuple[RecommendedItem, ...]
    listed: tuple[str, ...]
    features: Matrix
    subject: str
    reasons: tuple[str, ...]
    refused: tuple[Suppression, str] | None = None


def compose(moment: Moment, listed: Callable[[], Decided], size: int, campaigns: bool = True) -> Composed:
    """Bring occasions and list together, at most `size` items. `campaigns` False: the list alone.

    The list is asked for only where a mail may go: most looks are at people who fell silent long ago.
    """
    step = step_of(moment) if campaigns else "awake"
    proposals = proposals_of(moment) if campaigns else []
    if step in ("rest", "control") and not proposals:
        why: tuple[Suppression, str] = (
            ("holdout", "silent for long, and of those who are not written to, to see what it is worth")
            if step == "control"
            else ("fatigue", "silent for long: they were written to and hear from us again at the next step")
        )
        return Composed("reactivation", (), (), NO_FEATURES, "", (), why)
    named: Campaign = proposals[0].campaign if proposals else "reactivation" if step == "due" else "digest"
    decided = listed()
    kept = [
        place
        for place, item in enumerate(decided.items)
        if not ledger.is_repeat(moment.state, item.item_id, moment.now_ms, moment.replica)
    ]
    picks, deferred = _merged(proposals, size)
    by_id = {decided.items[place].item_id: decided.items[place] for place in kept}
    items = [_item(pick, proposal.campaign, by_id) for pick, proposal in picks]
    leading = {item.item_id for item in items}
    items += [decided.items[place] for place in kept if decided.items[place].item_id not in leading]
    items = [structs.replace(item, rank=rank) for rank, item in enumerate(items[:size], 1)]
    held = {item.item_id for item in items}
    places = [place for place in kept if decided.items[place].item_id in held]
    features = decided.features[places] if len(decided.features) else decided.features
    reasons = [proposal.reason for proposal in proposals if proposal.campaign not in deferred]
    reasons += [f"{campaign}: deferred to the next mail" for campaign in deferred]
    if not proposals:
        reasons = [reason for item in items for reason in item.reasons]
    return Composed(
        named,
        tuple(items),
        tuple(decided.items[place].item_id for place in places),
        np.asarray(features),
        _subject(moment, items, proposals),
        tuple(dict.fromkeys(reasons))[:4],
    )


def proposals_of(moment: Moment) -> list[Proposal]:
    """All occasions there are, the most urgent first."""
    enabled = moment.occasions.enabled
    found = [propose(moment) for name, propose in PROPOSERS if name in enabled]
    return [proposal for proposal in found if proposal is not None]


def _merged(proposals: list[Proposal], size: int) -> tuple[list[tuple[Pick, Proposal]], list[str]]:
    """The winner with all that goes with it, then the leads of the others while there is room."""
    taken: dict[str, tuple[Pick, Proposal]] = {}
    deferred: list[str] = []
    for place, proposal in enumerate(proposals):
        picks = [*proposal.leads, *(proposal.others if place == 0 else ())]
        fresh = [pick for pick in picks if pick.item_id not in taken]
        room = size - len(taken)
        if place and fresh and not room:
            deferred.append(proposal.campaign)
        taken |= {pick.item_id: (pick, proposal) for pick in fresh[:room]}
    return list(taken.values()), deferred


def _item(pick: Pick, source: str, by_id: dict[str, RecommendedItem]) -> RecommendedItem:
    known = by_id.get(pick.item_id)
    if known is None:
        return RecommendedItem(pick.item_id, 1, 0.0, source, (pick.reason,))
    return structs.replace(known, source=source, reasons=(pick.reason, *known.reasons)[:3])


def _subject(moment: Moment, items: list[RecommendedItem], proposals: list[Proposal]) -> str:
    if proposals:
        return proposals[0].subject[:MAX_SUBJECT]
    if not items:
        return ""
    title = moment.title(items[0].item_id)
    return title if len(items) == 1 else f"{title} and {len(items) - 1} more for you"
