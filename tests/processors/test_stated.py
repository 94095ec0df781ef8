"""Of `users` and `preferences` the newer wins, field by field."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processors.profile import Profile
from processors.stated import MAX_VALUES, OVERRULED, state_preference, state_user, withdraw_user
from schemas.behaviour import Preference
from schemas.catalogue import Location, StatedPreferences, User


def chose(ts_ms: int, **fields: object) -> Preference:
    return Preference(event_id="e", user_id="u1", ts_ms=ts_ms, **fields)  # type: ignore[arg-type]


def row(**fields: object) -> User:
    return User(user_id="u1", **fields)  # type: ignore[arg-type]


def test_field_by_field() -> None:
    profile = Profile()
    state_user(profile, row(frequency="daily", preferences=StatedPreferences(titles=("nurse",), remote=True)), 5)
    state_preference(profile, chose(7, titles=("cook",)))
    state_preference(profile, chose(3, remote=False))
    assert list(profile.said("titles")) == ["cook"]
    assert profile.said("remote") is True
    assert profile.said("frequency") == "daily"
    assert profile.said("places") is None


def test_at_the_same_time_the_person_counts_more() -> None:
    for first_row in (True, False):
        profile = Profile()
        for is_row in (first_row, not first_row):
            if is_row:
                state_user(profile, row(frequency="daily"), 5)
            else:
                state_preference(profile, chose(5, frequency="weekly"))
        assert profile.said("frequency") == "weekly"


def test_a_row_withdraws_what_an_older_row_stated() -> None:
    profile = Profile()
    state_user(profile, row(tz="UTC", location=Location(city="Austin")), 5)
    state_user(profile, row(tz="Europe/Berlin"), 6)
    assert (profile.said("tz"), profile.said("location")) == ("Europe/Berlin", None)
    state_user(profile, row(), 4)
    assert profile.said("tz") == "Europe/Berlin"


def test_a_null_row_leaves_what_the_person_chose_even_where_it_was_overruled() -> None:
    profile = Profile()
    state_preference(profile, chose(5, frequency="weekly", pause_until_ms=99))
    state_user(profile, row(frequency="daily", tz="UTC"), 7)
    assert profile.said("frequency") == "daily"
    withdraw_user(profile)
    assert (profile.said("frequency"), profile.said("tz"), profile.said("pause_until_ms")) == ("weekly", None, 99)
    assert "frequency" + OVERRULED not in profile.stated


def test_long_lists_are_cut() -> None:
    profile = Profile()
    state_preference(profile, chose(5, titles=tuple(f"t{n}" for n in range(64))))
    assert len(profile.said("titles")) == MAX_VALUES


said = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.sampled_from(["instant", "daily", "weekly"])))


@given(said)
def test_the_newest_of_all_wins(given_said: list[tuple[bool, int, str]]) -> None:
    """The oracle: the largest of (time, whether the person said it, how late it came)."""
    profile = Profile()
    for by_person, ts_ms, frequency in given_said:
        if by_person:
            state_preference(profile, chose(ts_ms, frequency=frequency))
        else:
            state_user(profile, row(frequency=frequency), ts_ms)
    ranked = [(ts_ms, by_person, n, word) for n, (by_person, ts_ms, word) in enumerate(given_said)]
    assert profile.said("frequency") == (max(ranked)[3] if ranked else None)
    assert len(profile.stated) <= 2
    ranks = [(stated.ts_ms, stated.source) for stated in profile.stated.values()]
    assert all(a >= b or a[0] == b[0] for a, b in pairwise(ranks))
