"""Histories of one person for property tests: records of every topic, and the ways in which they may arrive."""

from math import isclose
from typing import Any

import msgspec
from hypothesis import strategies as st

from processors.effects import Arrival
from processors.fold import fold
from processors.pack import Pack
from processors.pipeline import admit
from processors.profile import Profile
from schemas.behaviour import Apply, Click, Dismissal, Event, Impression, Open, Preference, Save, Search, Send, View
from schemas.catalogue import Item, Location, StatedPreferences, User
from schemas.decode import Retired
from tests.processors.market import NOW_MS

PACK = Pack(name="jobs")
ITEMS = {
    f"i{n}": Item(
        item_id=f"i{n}",
        brand=f"Brand {n % 3}",
        categories=(f"c{n % 4}",),
        tags=(f"t{n % 2}", "all"),
        location=Location(city="Austin", region=f"R{n % 3}"),
    )
    for n in range(6)
}
times = st.integers(NOW_MS - 1_000, NOW_MS)
items = st.sampled_from([*ITEMS, "unknown"])
maybe = st.none() | st.sampled_from(["daily", "weekly"])


def event(kind: type[Event], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(lambda **given: kind(event_id="", user_id="u1", **given), ts_ms=times, **fields)


KINDS: dict[str, st.SearchStrategy[Any]] = {
    "views": event(View, item_id=items, dwell_ms=st.none() | st.integers(0, 9_000), query=st.none() | st.just("baker")),
    "saves": event(Save, item_id=items, undo=st.booleans()),
    "applies": event(Apply, item_id=items, stage=st.sampled_from(["start", "complete"])),
    "dismissals": event(Dismissal, item_id=items, reason=st.sampled_from(["pay", "brand"]), undo=st.booleans()),
    "preferences": event(
        Preference, frequency=maybe, min_salary=st.none() | st.integers(1, 9), remote=st.none() | st.booleans()
    ),
    "searches": event(Search, query=st.sampled_from(["nurse", "welder", "night nurse icu " * 9])),
    "impressions": event(Impression, rec_id=st.just("r1"), item_ids=st.lists(items, min_size=1).map(tuple)),
    "sends": event(Send, send_id=st.just("s1"), item_ids=st.lists(items).map(tuple)),
    "opens": event(Open, send_id=st.just("s1")),
    "clicks": event(Click, send_id=st.just("s1")),
    "users": st.just(Retired("u1"))
    | st.builds(
        lambda ts_ms, frequency, salary, tz: User(
            user_id="u1",
            ts_ms=ts_ms,
            frequency=frequency,
            tz=tz,
            preferences=StatedPreferences(min_salary=salary) if salary else None,
        ),
        times,
        maybe,
        st.none() | st.integers(1, 9),
        st.none() | st.just("UTC"),
    ),
}

records = st.lists(st.sampled_from(sorted(KINDS)).flatmap(lambda topic: st.tuples(st.just(topic), KINDS[topic])))


def arrivals(given: list[tuple[str, Any]]) -> list[Arrival]:
    """Each with the next offset of its topic and an event id of its own."""
    offsets: dict[str, int] = {}
    made = []
    for topic, held in given:
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        named = msgspec.structs.replace(held, event_id=f"{topic}{offset}") if isinstance(held, Event) else held
        made.append(Arrival(named, topic, 0, offset, NOW_MS))
    return made


histories = records.map(arrivals)


def interleaved(history: list[Arrival], order: list[float]) -> list[Arrival]:
    """The same records in another order, each topic's own order kept."""
    queues: dict[str, list[Arrival]] = {}
    for arrival in history:
        queues.setdefault(arrival.topic, []).append(arrival)
    shuffled = sorted(zip(order, (arrival.topic for arrival in history), strict=False))
    return [queues[topic].pop(0) for _, topic in shuffled]


@st.composite
def two_orders(draw: st.DrawFn) -> tuple[list[Arrival], list[Arrival]]:
    history = draw(histories)
    size = len(history)
    order = draw(st.lists(st.floats(0, 1), min_size=size, max_size=size))
    return history, interleaved(history, order)


def take(profile: Profile, arrival: Arrival) -> str:
    """Admit and fold one record, as the pipeline does. Returns the admission."""
    admission = admit(profile, arrival)
    if admission == "apply":
        item_id = getattr(arrival.event, "item_id", None)
        fold(profile, arrival, ITEMS.get(item_id or ""), PACK)
    return admission


def folded(history: list[Arrival]) -> Profile:
    profile = Profile()
    for arrival in history:
        take(profile, arrival)
    return profile


def alike(one: Profile, other: Profile) -> bool:
    """Whether two profiles say the same: sums of floats to nine digits, the event ids as a set."""
    return _alike(_plain(one), _plain(other))


def _plain(profile: Profile) -> dict[str, Any]:
    return {**msgspec.to_builtins(profile_fields(profile)), "event_ids": sorted(profile.event_ids)}


def profile_fields(profile: Profile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in profile.__struct_fields__}


def _alike(one: Any, other: Any) -> bool:
    match one, other:
        case float(), float():
            return isclose(one, other, rel_tol=1e-9)
        case dict(), dict():
            return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
        case list() | tuple(), list() | tuple():
            return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)
