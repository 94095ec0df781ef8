"""A list made for one request: without some items, with what someone looks at now, within conditions, by the rules."""

from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from processors.actions import VIEW
from processors.among import among
from processors.eligibility import eligible
from processors.features import NAMES
from processors.item_filter import Condition, meets
from processors.merchandising import AppliedRule, Matches, Rule, composed, matcher, reordered
from processors.profile import LAST_ACTIONS, Action, Profile
from processors.ranking import Ranking, rank
from processors.recommend import ranked, ranked_all, told
from processors.replica import Replica
from processors.response_features import features_of
from processors.retrieval import NO_EVIDENCE, Candidates
from processors.slate import Place, Slate
from processors.taste import Taste, taste_of
from schemas.decisions import RecommendedItem

CONTEXT: Final = "context"
"""The topic of the look that a request adds to a copy of the profile."""


class Ask(Struct, frozen=True, kw_only=True):
    """What a request wants of its list."""

    limit: int
    exclude: tuple[str, ...] = ()
    context_item: str | None = None
    """Looked at just now, and known to nobody else yet. Never in the list itself."""
    conditions: tuple[Condition, ...] = ()
    rules: tuple[Rule, ...] = ()
    parts: bool = False
    """Whether to tell what each feature adds to the scores."""


class Reranked(Struct, frozen=True):
    """The list; the rules that were in force; by place, what spoke for the item where that was asked for."""

    items: tuple[RecommendedItem, ...]
    rules: tuple[AppliedRule, ...] = ()
    parts: tuple[dict[str, float], ...] = ()


def rerank(profile: Profile, now_ms: int, replica: Replica, ask: Ask) -> Reranked:
    """The list of one person at `now_ms`. The profile is only read.

    Empty only where no item may be shown.
    """
    if ask.context_item is not None:
        profile = _looking_at(profile, ask.context_item, now_ms)
    taste = taste_of(profile, now_ms, replica)
    matches = matcher(now_ms, replica)
    pins = {rule.name: place for rule in ask.rules if (place := _pinned(rule, taste, now_ms, replica, ask))}
    is_deep = any(rule.kind == "quota" for rule in ask.rules)  # a quota may have to reach down
    slate = Slate(replica.pack, replica, replica.catalogue.rows if is_deep else ask.limit, taste.own_rows)
    places: list[Place] = []
    for order in (ranked, ranked_all):
        ranking = _asked_for(order(profile, taste, now_ms, replica), ask, now_ms, replica)
        slate.fill(reordered(ranking, ask.rules, matches))
        places = composed(slate.places, ask.rules, matches, pins, ask.limit) if ask.rules else slate.places
        if len(places) >= ask.limit:
            break
    features = features_of(places, profile, taste, now_ms, replica, by_mail=False)
    items = told(places, features, taste, now_ms, replica)
    return Reranked(items, _told(places, ask.rules, matches, replica), _parts(places) if ask.parts else ())


def _looking_at(profile: Profile, item_id: str, now_ms: int) -> Profile:
    look = Action(max(now_ms, profile.last_event_ms), CONTEXT, 0, item_id, VIEW)
    return msgspec.structs.replace(profile, actions=[*profile.actions, look][-LAST_ACTIONS:])


def _asked_for(ranking: Ranking, ask: Ask, now_ms: int, replica: Replica) -> Ranking:
    """The same ranking without what the request does not want."""
    out = [*ask.exclude, *([ask.context_item] if ask.context_item is not None else [])]
    if not out and not ask.conditions:
        return ranking
    rows = ranking.candidates.rows
    kept = meets(rows, ask.conditions, now_ms, replica.catalogue)
    kept &= ~among(rows, [row for row in replica.catalogue.rows_of(out) if row])
    return msgspec.structs.replace(ranking, order=ranking.order[kept[ranking.order]])


def _pinned(rule: Rule, taste: Taste, now_ms: int, replica: Replica, ask: Ask) -> Place | None:
    """The best match of a pinning rule among all that may be shown to the person."""
    if rule.kind != "pin":
        return None
    rows = np.arange(1, replica.catalogue.rows)
    rows = rows[meets(rows, rule.conditions, now_ms, replica.catalogue)]
    rows = rows[eligible(rows, taste, now_ms, replica)]
    nothing = np.zeros(len(rows))
    candidates = Candidates(rows, nothing, nothing, nothing, NO_EVIDENCE, NO_EVIDENCE)
    ranking = _asked_for(rank(candidates, taste, now_ms, replica), ask, now_ms, replica)
    if not len(ranking.order):
        return None
    position = int(ranking.order[0])
    return Place(ranking, position, int(rows[position]))


def _told(places: list[Place], rules: tuple[Rule, ...], matches: Matches, replica: Replica) -> tuple[AppliedRule, ...]:
    rows = np.array([place.row for place in places], np.intp)
    return tuple(
        [
            AppliedRule(
                rule.name,
                rule.kind,
                rule.until_ms,
                tuple([replica.catalogue.item_id(int(row)) for row in rows[matches(rule, rows)]]),
            )
            for rule in rules
        ]
    )


def _parts(places: list[Place]) -> tuple[dict[str, float], ...]:
    return tuple(
        [
            {
                name: round(float(part), 4)
                for name, part in zip(NAMES, place.ranking.parts([place.position])[0], strict=True)
            }
            for place in places
        ]
    )
