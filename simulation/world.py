"""The protocol every simulated world speaks, and how a world is found by name.

A *record* is the replay form of DESIGN §3: ``{"topic": str, "key": str, "value": dict | None}``. The runner calls, in
this order: `catalogue`, `history`, then `advance` again and again, with `deliver` in between or during its iteration.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, cast, runtime_checkable

Record = dict[str, Any]
Slate = Callable[[str, int], Record | None]
"""``slate(user_id, ts_ms)``: the latest site recommendation (a `recommendations` record) after all that was yielded."""

OUTCOMES = (
    "clicks",
    "apply_starts",
    "applies",
    "unsubscribes",
    "mails",
    "reactivated",
    "revenue",
    "orders",
    "days_to_first_apply",
    "views_per_apply",
    "true_fit_of_applies",
    "repeat_rate_60d",
)
"""The metrics every world reports, overall and per cohort as ``cohort.NAME.METRIC``."""
METHODS = ("catalogue", "history", "advance", "deliver", "outcomes")
BUILTIN = {"jobs": "simulation.jobs:JobsWorld", "shop": "simulation.shop:ShopWorld"}


@runtime_checkable
class World(Protocol):
    """A market with hidden truth. Same arguments and same decisions: same records, to the byte."""

    start_ms: int
    """Milliseconds since the epoch, UTC: where policies begin."""

    def __init__(self, seed: int, users: int, days: int) -> None:
        """`days` are the days after `start_ms` for which the market has content."""

    def catalogue(self) -> Iterable[Record]:
        """Initial `items` and `users` records: everything known at `start_ms`, expired items of the past included."""

    def history(self) -> Iterable[Record]:
        """Behaviour before `start_ms`, in time order: dormant and returning people have a past."""

    def advance(self, until_ms: int, slate: Slate) -> Iterator[Record]:
        """Behaviour since the last call with ``ts_ms < until_ms``, lazy, in time order, reactions included."""

    def deliver(self, decision: Record, at_ms: int) -> None:
        """A `digests` record reached the person at `at_ms`.

        Reactions come out of `advance`, with its `digest_id` as `send_id`; publishing `sends` is the runner's part.
        """

    def outcomes(self) -> dict[str, float]:
        """True totals since `start_ms`: `OUTCOMES`, and the same per cohort as ``cohort.NAME.METRIC``."""

    def truth(self, user_id: str, item_id: str | None, ts_ms: int) -> float:
        """Probability of a click on a mail that arrives at `ts_ms` (led by this item; None: by typical content).

        Optional, for oracles only: nothing that is judged may call it.
        """


class UnknownWorldError(ValueError):
    """No world or variant has this name; the message lists those that exist."""


def make_world(name: str, seed: int, users: int, days: int) -> World:
    """Build ``jobs``, ``shop``, ``jobs:VARIANT``, ``shop:VARIANT``, or anyone's ``module:Class``.

    Raises `UnknownWorldError` when the name means nothing.

    >>> make_world("jobs:no-taste", seed=1, users=20, days=2).start_ms
    1740960000000
    """
    first, _, second = name.partition(":")
    if first in BUILTIN:
        return cast("World", find_world(BUILTIN[first])(seed, users, days, variant=second or "base"))
    return cast("World", find_world(name)(seed, users, days))


def find_world(name: str) -> Callable[..., Any]:
    """The class at ``module:Class``. Raises `UnknownWorldError` when there is none."""
    first, _, second = name.partition(":")
    if not second:
        raise UnknownWorldError(f"no world named {name!r}: use jobs, shop, jobs:VARIANT, shop:VARIANT or module:Class")
    try:
        found = getattr(importlib.import_module(first), second)
    except (ImportError, AttributeError) as error:
        raise UnknownWorldError(f"no world at {name!r}: {error}") from error
    if not callable(found):
        raise UnknownWorldError(f"{name!r} is no class but {type(found).__name__}")
    missing = [method for method in METHODS if not callable(getattr(found, method, None))]
    if missing:
        raise UnknownWorldError(f"{name!r} has no {', '.join(missing)}: see simulation/world.py")
    return cast("Callable[..., Any]", found)
