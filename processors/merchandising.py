"""What the house wants of its lists, beside what people want: pin, boost, bury and quotas, each until it expires.

A rule names items by conditions (processors/item_filter.py). Nobody's vetoes are overruled: a pinned item that a person
dismissed, or that is not to be had any more, is not shown to them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from processors.item_filter import Condition, condition, meets
from processors.ranking import Ranking
from processors.replica import Replica
from processors.slate import Place
from schemas.behaviour import Surface
from schemas.fields import TimestampMs, Word


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. Raises ValueError where its conditions cannot be read.

    `boost` adds `strength` standard deviations of the candidates' scores, `bury` puts last, `pin` puts the best match
    at `position` (from 1), `quota` shows at least `at_least` and at most `at_most` of them in a list.
    """

    name: Word
    kind: Literal["pin", "boost", "bury", "quota"]
    items: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=64)]
    """Conditions such as `brand:Acme` or `item:job-17`."""
    until_ms: TimestampMs
    surface: Surface | None = None
    """None: every surface."""
    strength: Annotated[float, Meta(gt=0.0, le=10.0)] = 1.0
    position: Annotated[int, Meta(ge=1, le=50)] = 1
    at_least: Annotated[int, Meta(ge=0, le=50)] = 0
    at_most: Annotated[int, Meta(ge=0, le=50)] = 50

    def __post_init__(self) -> None:
        if self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is more than at_most {self.at_most}")
        _ = self.conditions

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the items must meet."""
        return tuple([condition(text) for text in self.items])


class AppliedRule(Struct, frozen=True):
    """A rule that was in force for a list, as the answer says it; `item_ids` are those of the list that it names."""

    name: str
    kind: str
    until_ms: int
    item_ids: tuple[str, ...]


Matches = Callable[[Rule, npt.NDArray[np.intp]], npt.NDArray[np.bool_]]


def in_force(rules: Iterable[Rule], surface: str, now_ms: int) -> tuple[Rule, ...]:
    """The rules that hold for a surface at a moment."""
    return tuple([rule for rule in rules if rule.until_ms > now_ms and rule.surface in (None, surface)])


def matcher(now_ms: int, replica: Replica) -> Matches:
    """Tells which rows a rule names."""
    return lambda rule, rows: meets(rows, rule.conditions, now_ms, replica.catalogue)


def reordered(ranking: Ranking, rules: Sequence[Rule], matches: Matches) -> Ranking:
    """A ranking with boosts in its scores and buried items last."""
    moving = [rule for rule in rules if rule.kind in ("boost", "bury")]
    if not moving or not len(ranking.order):
        return ranking
    rows, scores = ranking.candidates.rows, ranking.scores.copy()
    spread = float(scores.std()) or 1.0
    buried = np.zeros(len(rows), np.bool_)
    for rule in moving:
        named = matches(rule, rows)
        if rule.kind == "boost":
            scores[named] += rule.strength * spread
        else:
            buried |= named
    order = np.lexsort((-scores, buried))
    return msgspec.structs.replace(ranking, scores=scores, order=order)


def composed(
    places: Sequence[Place], rules: Sequence[Rule], matches: Matches, pins: dict[str, Place], limit: int
) -> list[Place]:
    """A list of at most `limit` places out of a longer one: quotas, then pins (by the rule's name)."""
    rows = np.array([place.row for place in places], np.intp)
    quotas = [(rule, set(rows[matches(rule, rows)].tolist())) for rule in rules if rule.kind == "quota"]
    chosen = _within(places, quotas, limit)
    for rule, named in quotas:
        missing = rule.at_least - sum(place.row in named for place in chosen)
        spare = [place for place in places if place.row in named and place not in chosen][: max(missing, 0)]
        for newcomer in reversed(spare):
            last = next((k for k in range(len(chosen) - 1, -1, -1) if chosen[k].row not in named), None)
            if last is None:
                break
            del chosen[last]
            chosen.append(newcomer)
    for rule in sorted((rule for rule in rules if rule.name in pins), key=lambda rule: rule.position):
        pinned = pins[rule.name]
        chosen = [place for place in chosen if place.row != pinned.row]
        chosen.insert(rule.position - 1, pinned)
    return chosen[:limit]


def _within(places: Sequence[Place], quotas: list[tuple[Rule, set[int]]], limit: int) -> list[Place]:
    chosen: list[Place] = []
    counts = [0] * len(quotas)
    for place in places:
        if len(chosen) == limit:
            break
        touched = [k for k, (_, named) in enumerate(quotas) if place.row in named]
        if any(counts[k] >= quotas[k][0].at_most for k in touched):
            continue
        for k in touched:
            counts[k] += 1
        chosen.append(place)
    return chosen
