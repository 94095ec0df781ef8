"""There is no order between topics in the log, so a profile must not depend on one; and it is bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import processors.stated
from processors.effects import Arrival
from processors.fold import fold
from processors.pipeline import admit
from processors.profile import (
    LAST_ACTIONS,
    LAST_EVENT_IDS,
    MAX_APPLIED,
    MAX_DISMISSED,
    TOP_AFFINITIES,
    Profile,
    Stated,
    decode,
    encode,
)
from schemas.behaviour import Apply, Dismissal, Preference, View
from schemas.catalogue import Item, User
from tests.processors.histories import PACK, alike, folded, histories, take, two_orders
from tests.processors.market import NOW_MS


@settings(max_examples=200, deadline=None)
@given(two_orders())
def test_any_interleaving_of_topics_gives_the_same_profile(orders: tuple[list[Arrival], list[Arrival]]) -> None:
    given_order, other = orders
    assert alike(folded(given_order), folded(other))


def test_the_newer_of_two_topics_would_depend_on_their_order() -> None:
    """Negative control: without what was overruled, a withdrawn row leaves nothing or the choice, as it came."""
    choice = Arrival(Preference(event_id="p", user_id="u1", ts_ms=NOW_MS, frequency="weekly"), "preferences", 0, 0, 0)
    row = Arrival(User(user_id="u1", ts_ms=NOW_MS + 1, frequency="daily"), "users", 0, 0, 0)
    withdrawn = Arrival(User(user_id="u1", ts_ms=NOW_MS + 2), "users", 0, 1, 0)
    for order in ([choice, row, withdrawn], [row, withdrawn, choice], [row, choice, withdrawn]):
        assert folded(order).said("frequency") == "weekly"

    def forgetful(profile: Profile, field: str, said: list[Stated]) -> None:
        profile.stated.pop(field, None)
        if said:
            profile.stated[field] = max(said, key=lambda stated: stated.ts_ms)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(processors.stated, "_keep", forgetful)
        assert folded([choice, row, withdrawn]).said("frequency") is None
        assert folded([row, withdrawn, choice]).said("frequency") == "weekly"


@given(histories, st.integers(0, 20))
def test_a_profile_read_back_goes_on_as_if_it_had_never_been_written(history: list[Arrival], at: int) -> None:
    profile = decode(encode(folded(history[:at])))
    for arrival in history[at:]:
        take(profile, arrival)
    assert alike(profile, folded(history))


@given(histories)
def test_totals_count_every_record(history: list[Arrival]) -> None:
    topics = [arrival.topic for arrival in history]
    assert folded(history).totals == {topic: topics.count(topic) for topic in set(topics)}


def test_everything_is_bounded() -> None:
    profile = Profile()
    for n in range(400):
        event_id, item_id, ts_ms = f"e{n}", f"item-{n}", NOW_MS + n
        item = Item(item_id=item_id, brand=f"b{n}", categories=tuple(f"c{n}-{k}" for k in range(64)))
        for topic, event in (
            ("views", View(event_id=event_id, user_id="u1", item_id=item_id, ts_ms=ts_ms)),
            ("applies", Apply(event_id=event_id, user_id="u1", item_id=item_id, ts_ms=ts_ms)),
            ("dismissals", Dismissal(event_id=event_id, user_id="u1", item_id=item_id, ts_ms=ts_ms)),
        ):
            arrival = Arrival(event, topic, 0, n, NOW_MS)
            assert admit(profile, arrival) == "apply"
            fold(profile, arrival, item, PACK)
    assert len(profile.actions) == LAST_ACTIONS
    assert len(profile.event_ids) == LAST_EVENT_IDS
    assert len(profile.dismissed) == MAX_DISMISSED
    assert len(profile.applied_items) == MAX_APPLIED
    assert all(len(sketch) == TOP_AFFINITIES for sketch in profile.affinities.values())
    assert len(encode(profile)) <= 12_000
    assert profile.actions == sorted(profile.actions)
