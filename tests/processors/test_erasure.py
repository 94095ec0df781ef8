"""An erasure leaves a marker and nothing else; what comes later begins anew."""

from hypothesis import given

from processors.effects import Arrival, Forget, Receipt, Wake
from processors.erasure import complete, is_blank, is_marker, marker_key, user_hash
from processors.pipeline import Rules, pending, step, wake
from processors.profile import Profile, decode, encode, skim
from processors.randomness import Randomness
from processors.replica import Replica
from schemas.behaviour import Erasure, View
from tests.processors.histories import PACK, folded, histories, take
from tests.processors.market import NOW_MS

RULES = Rules(erasure_key="secret", erasure_complete_ms=1_000)
REPLICA = Replica(PACK)


def erased(profile: Profile, ts_ms: int = NOW_MS + 10, offset: int = 0) -> list[object]:
    arrival = Arrival(Erasure(event_id="x", user_id="u1", ts_ms=ts_ms), "erasures", 0, offset, NOW_MS + 20)
    take_offset = profile.applied
    take_offset["erasures"] = offset
    return list(step(profile, arrival, ts_ms, REPLICA, Randomness("x"), RULES))


@given(histories)
def test_nothing_but_the_marker_is_left(history: list[Arrival]) -> None:
    profile = folded(history)
    applied = {**profile.applied, "erasures": 0}
    effects = erased(profile)
    marker = Profile(applied=applied, erased_ms=NOW_MS + 10, complete_ms=NOW_MS + 1_020)
    assert profile == marker
    assert decode(encode(profile)) == marker
    assert [type(effect) for effect in effects] == [Forget, Receipt, Wake]
    assert pending(skim(encode(profile))) == [Wake(NOW_MS + 1_020, "erase")]


@given(histories)
def test_the_past_does_not_come_back(history: list[Arrival]) -> None:
    profile = Profile()
    erased(profile)
    for arrival in history:
        if isinstance(arrival.event, View):
            assert take(profile, arrival) == "erased"
    assert profile.totals == {}


def test_receipts_name_nobody_and_are_the_same_after_a_crash() -> None:
    profile = Profile()
    _, receipt, _ = erased(profile)
    assert isinstance(receipt, Receipt)
    assert "u1" not in receipt.receipt.user_hash
    assert receipt.receipt.receipt_id == "erasures-0-0"
    due = Wake(NOW_MS + 1_020, "erase")
    finished = [wake(decode(encode(profile)), "u1", due, REPLICA, Randomness("x"), RULES) for _ in range(2)]
    assert finished[0] == finished[1]
    assert wake(profile, "u1", due, REPLICA, Randomness("x"), RULES) == finished[0]
    assert is_blank(profile)
    assert wake(profile, "u1", due, REPLICA, Randomness("x"), RULES) == []


def test_who_came_back_keeps_the_new_profile() -> None:
    profile = Profile()
    erased(profile)
    later = View(event_id="e", user_id="u1", item_id="i1", ts_ms=NOW_MS + 11)
    assert take(profile, Arrival(later, "views", 0, 0, NOW_MS)) == "apply"
    complete(profile, "u1", "secret")
    assert not is_blank(profile)
    assert profile.totals == {"views": 1}


def test_a_second_erasure_never_moves_the_border_back() -> None:
    profile = Profile()
    erased(profile, NOW_MS + 10)
    erased(profile, NOW_MS + 5, 1)
    assert profile.erased_ms == NOW_MS + 10


def test_markers_stand_under_a_keyed_hash() -> None:
    assert user_hash("a", "u1") != user_hash("b", "u1") != user_hash("b", "u2")
    assert is_marker(marker_key(user_hash("a", "u1")))
    assert not is_marker(b"u1")
