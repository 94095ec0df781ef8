"""What is kept of a person for mail: it travels without loss, is read as it was kept before, and stays exact enough."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.campaigns import ledger
from processors.profile import Profile, decode, encode
from processors.sending import STORED, STORED_BEFORE, Mail, Plan, Sending, added, advance, read_hours, stored_hours
from processors.sending_wire import packed
from processors.week import DAY_MS
from tests.processors.market import NOW_MS
from tests.processors.market import replica as replica_of

ever_s = st.just(0) | st.integers(1, 2**32 - 1)
mails = st.builds(
    Mail,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(-1, 47),
    st.integers(0, 1_000_000),
    ever_s,
    ever_s,
    st.integers(0, 127),
    st.integers(0, 255),
)


@given(st.lists(mails, max_size=16))
def test_mails_travel_without_loss(given_mails: list[Mail]) -> None:
    profile = Profile(sending=Sending(mails=given_mails))
    before = msgspec.msgpack.encode(profile)
    assert decode(encode(profile)) == profile
    assert msgspec.msgpack.encode(profile) == before  # what is encoded stays as it is


def test_times_that_fit_no_record_travel_as_they_are() -> None:
    profile = Profile(sending=Sending(mails=[Mail(1, 2**32), Mail(2, 5)]))
    assert decode(encode(profile)) == profile


def test_states_of_before_are_read() -> None:
    """Mails as a list, hours in float32, four bytes for each item of the ledger, a plan that told more."""
    made, hours = replica_of(), np.arange(48) / 4.0
    new = Sending(day=NOW_MS // DAY_MS, activity=hours.astype(STORED).tobytes(), mails=[Mail(7, 9, 3)])
    ledger.note(new, ["j6", "j7"], NOW_MS, made)
    old = [None, [NOW_MS, 5, "UTC", 0.5, NOW_MS], new.day, b"", b"", hours.astype(STORED_BEFORE).tobytes(), 0.0]
    old += [[[7, 9, 3, 0, 0, 0, 0, 0]], 0, 0, ledger._entries(new).tobytes(), 0, "", "", {}]
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(Profile()))
    place = Profile.__struct_fields__.index("sending")
    fields[place] = old
    read = decode(msgspec.msgpack.encode(fields)).sending
    assert read is not None
    assert read.plan is not None
    assert (read.plan.tz, read.plan.propensity) == ("UTC", 0.5)
    assert read.mails == new.mails
    assert read_hours(read.activity, read.day, NOW_MS, 60.0).tolist() == hours.tolist()
    assert ledger.is_repeat(read, "j6", NOW_MS, made)
    ledger.note(read, ["j8"], NOW_MS, made)
    assert [ledger.was_mailed(read, item_id) for item_id in ("j6", "j7", "j8", "j9")] == [True, True, True, False]
    advance(read, NOW_MS + DAY_MS)
    assert len(read.activity) == 48 * STORED.itemsize


@pytest.mark.parametrize("a_day", [1, 5])
def test_half_precision_keeps_what_years_of_days_add_up_to(a_day: int) -> None:
    """Against exact sums, with a decay every day; whole numbers in its place (control) are far off."""
    rng, state, exact, rounded = np.random.default_rng(a_day), Sending(), np.zeros(48), np.zeros(48)
    for day in range(1, 1_001):
        advance(state, day * DAY_MS)
        fade = 2.0 ** (-1.0 / 60.0)
        exact, rounded = exact * fade, np.round(rounded * fade)
        for slot in rng.integers(0, 8, a_day).tolist():
            state.exposure = added(state.exposure, day, slot, day * DAY_MS, 0.15, 60.0)
            exact[slot] += 0.15
            rounded[slot] = np.round(rounded[slot] + 0.15)
    kept = stored_hours(state.exposure)[:8]
    assert np.abs(kept / exact[:8] - 1.0).max() < 0.02
    assert np.abs(rounded[:8] / exact[:8] - 1.0).max() > 0.5


def test_everything_full_is_small() -> None:
    hours, made = np.ones(48, STORED).tobytes(), replica_of()
    full = [Mail(2**32 - 1 - n, NOW_MS // 1000, 47, 999_999, 0, NOW_MS // 1000, 107, 255) for n in range(16)]
    for mail in full[:4]:
        mail.clicked_s = mail.at_s
    state = Sending(
        NOW_MS, Plan(NOW_MS, 9, "Europe/Berlin"), 20_000, hours, hours, hours, 30.5, full, NOW_MS, looked_ms=NOW_MS
    )
    state.told_zone = "Europe/Berlin"
    for day in range(15):
        ledger.note(state, [f"{day}/{n}" for n in range(10)], NOW_MS + day * DAY_MS, made)
    assert len(msgspec.msgpack.encode(packed(state))) <= 1_200
