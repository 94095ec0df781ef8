"""What was applied before, what repeats an event id, and what happened before an erasure, is not applied."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processors.effects import Arrival
from processors.pipeline import admit
from processors.profile import LAST_EVENT_IDS, Profile
from schemas.behaviour import Erasure, Event, View
from schemas.catalogue import User
from tests.processors.histories import alike, folded, histories, take
from tests.processors.market import NOW_MS


def view(number: int, offset: int, ts_ms: int = NOW_MS) -> Arrival:
    return Arrival(View(event_id=f"e{number}", user_id="u1", item_id="i1", ts_ms=ts_ms), "views", 0, offset, NOW_MS)


@given(histories, st.data())
def test_a_log_read_again_changes_nothing(history: list[Arrival], data: st.DataObject) -> None:
    """After a crash the log is read from an earlier offset on: as if it had been read once."""
    back = data.draw(st.integers(0, len(history)))
    profile = folded(history)
    assert {take(profile, arrival) for arrival in history[back:]} <= {"applied"}
    assert alike(profile, folded(history))


@given(histories)
def test_a_producer_that_sends_twice_is_counted_once(history: list[Arrival]) -> None:
    """The same event id at another offset, within the last 64."""
    history = history[:LAST_EVENT_IDS]
    twice = folded(history)
    offsets = dict(twice.applied)
    for arrival in history:
        offsets[arrival.topic] += 1
        repeated = msgspec.structs.replace(arrival, offset=offsets[arrival.topic])
        if isinstance(arrival.event, Event):
            assert take(twice, repeated) == "duplicate"
    once = folded(history)
    once.applied = twice.applied
    assert alike(twice, once)


def test_ids_are_told_apart_by_topic() -> None:
    profile = Profile()
    assert admit(profile, view(1, 0)) == "apply"
    assert admit(profile, msgspec.structs.replace(view(1, 0), topic="saves")) == "apply"


def test_an_id_is_remembered_for_64_events() -> None:
    profile = Profile()
    for n in range(LAST_EVENT_IDS):
        assert admit(profile, view(n, n)) == "apply"
    assert admit(profile, view(0, 100)) == "duplicate"
    assert admit(profile, view(999, 101)) == "apply"
    assert admit(profile, view(0, 102)) == "apply"


def test_what_happened_before_an_erasure_is_dropped_whenever_it_comes() -> None:
    profile = Profile(erased_ms=NOW_MS)
    assert admit(profile, view(1, 0, NOW_MS - 1)) == "erased"
    assert admit(profile, view(2, 1, NOW_MS)) == "erased"
    assert admit(profile, view(3, 2, NOW_MS + 1)) == "apply"
    assert profile.applied == {"views": 2}


def test_rows_and_a_second_erasure_pass_a_marker() -> None:
    profile = Profile(erased_ms=NOW_MS)
    again = Erasure(event_id="x", user_id="u1", ts_ms=NOW_MS - 1)
    assert admit(profile, Arrival(again, "erasures", 0, 0, NOW_MS)) == "apply"
    assert admit(profile, Arrival(User(user_id="u1"), "users", 0, 0, NOW_MS)) == "apply"
