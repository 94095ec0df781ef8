"""Wishes: kinds, distances and remote work, and what of them is enforced."""

import msgspec
import numpy as np
import pytest

from processors import wishes
from processors.eligibility import eligible
from processors.pack import Pack
from processors.profile import Profile
from processors.replica import Replica
from processors.retrieval import read_like
from processors.stated import state_preference, state_user
from processors.taste import taste_of
from schemas.behaviour import Preference
from schemas.catalogue import Alert, Location, StatedPreferences, User
from tests.processors.market import NOW_MS, PACK, job, person, replica

AUSTIN = Location(city="Austin", region="TX", country="US", lat=30.2672, lon=-97.7431)
ROUND_ROCK = Location(city="Round Rock", region="TX", country="US", lat=30.5083, lon=-97.6789)
"""27 km from Austin."""


def pack(**changed: object) -> Pack:
    return msgspec.structs.replace(PACK, **changed)


def kinds_for(profile: Profile, made: Replica) -> wishes.Values:
    taste = taste_of(profile, NOW_MS, made)
    return wishes.kinds_of(taste, read_like(taste, made), made)


def may_be_shown(profile: Profile, rules: Pack, **changed: object) -> bool:
    made = replica(pack=rules)
    made.put_item(job(500, location=AUSTIN))
    made.put_item(job(501, **changed))
    rows = np.array(made.catalogue.rows_of(["j501"]), np.intp)
    return bool(eligible(rows, taste_of(profile, NOW_MS, made), NOW_MS, made)[0])


@pytest.mark.parametrize(
    ("commute_km", "radius_km", "expected"),
    [(0.0, 0.0, False), (40.0, 0.0, True), (20.0, 0.0, False), (20.0, 30.0, True)],
)
def test_a_place_that_is_wanted_reaches_as_far_as_people_go_to_work(
    commute_km: float, radius_km: float, expected: bool
) -> None:
    wanting = person(stated={"places": ["Austin"], "radius_km": radius_km or None})
    assert may_be_shown(wanting, pack(commute_km=commute_km), location=ROUND_ROCK) is expected


def test_remote_work_is_a_wish_where_the_pack_says_so() -> None:
    wanting = person(stated={"remote": True})
    assert not may_be_shown(wanting, pack(), remote=False)
    assert may_be_shown(wanting, pack(remote_veto=False), remote=False)
    made = replica()
    made.put_item(job(501, remote=True))
    rows = np.array(made.catalogue.rows_of(["j500", "j501", "j0"]), np.intp)
    assert wishes.remote(rows, taste_of(wanting, NOW_MS, made), made).tolist() == [0.0, 1.0, 0.0]
    assert wishes.remote(rows, taste_of(person(), NOW_MS, made), made).tolist() == [0.0, 0.0, 0.0]


def test_whoever_asks_for_a_title_asks_for_its_kind() -> None:
    made = replica()
    made.put_item(job(500, title="Kennel Hand", categories=("animals",)))
    made.put_item(job(501, title="Zookeeper", categories=("animals", "zoo")))
    rows = np.array(made.catalogue.rows_of(["j500", "j1"]), np.intp)
    kinds = kinds_for(person(stated={"titles": ["zookeeper"]}), made)
    assert kinds[made.catalogue.categories.code("animals")] == pytest.approx(1.0)
    alike, other = wishes.kind(rows, kinds, made)
    assert alike == pytest.approx(1.0)
    assert other == 0.0
    assert not wishes.kind(rows, kinds_for(person(), made), made).any()


def test_what_has_no_category_is_of_the_kind_that_its_words_are() -> None:
    made = replica()
    made.put_item(job(500, title="Glass Blower", categories=()))
    made.put_item(job(501, title="Zookeeper", categories=(" ", "animals")))
    rows = np.array(made.catalogue.rows_of(["j500", "j501"]), np.intp)
    stated = np.array([0.8, 0.0])
    for asked, expected in ((["glass blower"], [0.8, 0.0]), (["zookeeper"], [0.8, 1.0]), ([], [0.0, 0.0])):
        profile = person(stated={"titles": asked} if asked else {})
        taste = taste_of(profile, NOW_MS, made)
        found = wishes.features(rows, stated, kinds_for(profile, made), taste, made)
        assert found[1].tolist() == pytest.approx(expected)


def test_far_is_told_in_radii_and_remote_work_is_nowhere() -> None:
    made = replica()
    made.put_item(job(500, location=AUSTIN))
    made.put_item(job(501, location=ROUND_ROCK))
    made.put_item(job(502, location=ROUND_ROCK, remote=True))
    made.put_item(job(503, location=Location(lat=42.36, lon=-71.06)))
    made.put_item(job(504, location=None))
    rows = np.array(made.catalogue.rows_of(["j500", "j501", "j502", "j503", "j504"]), np.intp)
    home = person(stated={"location": {"lat": AUSTIN.lat, "lon": AUSTIN.lon}})
    assert wishes.far(rows, taste_of(home, NOW_MS, made), made) == pytest.approx([0.0, 0.9, 0.0, 3.0, 0.0], abs=0.02)
    wide = person(stated={"location": {"lat": AUSTIN.lat, "lon": AUSTIN.lon}, "radius_km": 54.0})
    assert wishes.far(rows, taste_of(wide, NOW_MS, made), made)[1] == pytest.approx(0.5, abs=0.01)
    assert not wishes.far(rows, taste_of(person(), NOW_MS, made), made).any()


def test_saved_searches_count_as_titles_until_newer_titles_are_said() -> None:
    made, profile = replica(), Profile()
    alerts = (
        Alert(alert_id="a", query="nurse jobs", filters={"radius_km": 25.0}),
        Alert(alert_id="b", query="", filters={"radius_km": -1}),
    )
    row = User(user_id="u", ts_ms=10, alerts=alerts, preferences=StatedPreferences(titles=("nurse",)))
    state_user(profile, row, 10)
    assert taste_of(profile, NOW_MS, made).titles == ("nurse", "nurse jobs")
    assert taste_of(profile, NOW_MS, made).radius_km == 25.0
    state_preference(profile, Preference(event_id="e", user_id="u", ts_ms=20, titles=("welder",)))
    assert taste_of(profile, NOW_MS, made).titles == ("welder",)
    state_user(profile, User(user_id="u", ts_ms=30), 30)
    assert taste_of(profile, NOW_MS, made).radius_km == 0.0
