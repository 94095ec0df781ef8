"""Laws that every feature obeys, of the transparent blend, of the learned one and of the heads, by discovery."""

import copy
import math

import msgspec
import numpy as np
import pytest

from processors import blend, features, response
from processors.actions import APPLY, SAVE, VIEW
from processors.profile import Profile, encode
from processors.randomness import Randomness
from processors.recommend import listed, ranked
from processors.replica import Replica
from processors.response_features import features_of
from processors.retrieval import everything
from processors.taste import taste_of
from schemas.catalogue import Item, Location, User
from tests.processors import market
from tests.processors.market import NOW_MS, job, person

PEOPLE = {
    "nobody": Profile(),
    "a viewer": person((0, VIEW), (6, VIEW), (12, VIEW)),
    "one who did everything": person(*[(k, k % 4) for k in range(50)]),
    "a seeker": person((1, SAVE), stated={"titles": ["welder"], "places": ["Austin"], "min_salary": 40_000.0}),
    "one who wants to work from home": person(
        (1, VIEW), stated={"titles": ["nurse"], "remote": True, "location": {"lat": 30.27, "lon": -97.74}}
    ),
    "a fan": person(
        *[(0, VIEW), (6, VIEW), (0, VIEW), (0, VIEW)],
        affinities={"category": {"pastry": (1.0, -math.inf)}},
        counters={VIEW: [NOW_MS / 86_400_000, NOW_MS / 7 / 86_400_000, NOW_MS / 30 / 86_400_000]},
    ),
    "one of things unknown": person((900, VIEW), (901, APPLY), stated={"places": ["Atlantis"], "location": {}}),
}
SETS = {"spine": features.NAMES, "blend": blend.NAMES, "heads": response.FEATURES}


def table(kind: str, profile: Profile, made: Replica, now_ms: int = NOW_MS) -> np.ndarray:
    """Features × items of what the person would be ranked by, or shown."""
    taste = taste_of(profile, now_ms, made)
    if kind != "heads":
        return ranked(profile, taste, now_ms, made).matrix
    slate = listed(profile, taste, now_ms, made, 10, Randomness("laws"))
    return features_of(slate.places, profile, taste, now_ms, made, by_mail=False).T


def replica(kind: str, **more: object) -> Replica:
    pack = msgspec.structs.replace(
        market.PACK, models="blend" if kind == "blend" else "spine", explore=1, remote_veto=False
    )
    made = market.replica(pack=pack, **more)  # type: ignore[arg-type]
    made.put_item(Item(item_id="bare"))
    made.put_item(job(78, remote=True))
    made.put_item(
        job(77, title="", brand=None, categories=(), location=None, salary=None, posted_ms=None, expires_ms=None)
    )
    return made


CASES = [(kind, name, who) for kind, names in SETS.items() for name in names for who in PEOPLE]
MADE: dict[tuple[str, bool], Replica] = {}


def made_for(kind: str, learned: bool) -> Replica:
    if (kind, learned) not in MADE:
        MADE[kind, learned] = replica(kind) if learned else replica(kind, given=[])
    return MADE[kind, learned]


def test_all_features_are_here() -> None:
    assert {kind: len(names) for kind, names in SETS.items()} == {"spine": 8, "blend": len(blend.NAMES), "heads": 11}
    assert len(blend.NAMES) >= 34
    assert all(len(set(names)) == len(names) for names in SETS.values())


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("kind", SETS)
def test_every_feature_of_everybody_is_a_number_with_and_without_learning(kind: str, learned: bool) -> None:
    made = made_for(kind, learned)
    for who, profile in PEOPLE.items():
        for now_ms in (NOW_MS, NOW_MS - 86_400_000 * 3, NOW_MS + 1):
            found = table(kind, profile, made, now_ms)
            assert len(found) == len(SETS[kind])
            broken = [name for name, row in zip(SETS[kind], found, strict=True) if not np.isfinite(row).all()]
            assert not broken, (who, now_ms)


@pytest.mark.parametrize("kind", SETS)
def test_reading_features_is_deterministic_and_changes_nobody(kind: str) -> None:
    made = made_for(kind, True)
    for profile in PEOPLE.values():
        before = encode(profile)
        assert np.array_equal(table(kind, profile, made), table(kind, copy.deepcopy(profile), made))
        assert encode(profile) == before


@pytest.mark.parametrize("kind", SETS)
def test_every_feature_says_something_of_somebody(kind: str) -> None:
    """A constant would be no feature; those of lists and mails are told elsewhere."""
    found = np.concatenate([table(kind, profile, made_for(kind, True)) for profile in PEOPLE.values()], axis=1)
    silent = [name for name, row in zip(SETS[kind], found, strict=True) if np.ptp(row) == 0.0]
    assert set(silent) <= {"by_mail", "shown", "session", "session_after", "session_before", "session_next"} | {
        "own_session",
        "own_session_next",
    }


def test_a_broken_feature_is_caught() -> None:
    found = table("spine", PEOPLE["a viewer"], made_for("spine", True)).copy()
    found[3, 0] = np.nan
    assert [name for name, row in zip(features.NAMES, found, strict=True) if not np.isfinite(row).all()] == [
        "freshness"
    ]


# ---------------------------------------------------------------- attributes


@pytest.mark.parametrize("models", ["spine", "blend"])
def test_attributes_of_a_person_change_nothing(models: str) -> None:
    """Nobody is ranked by what a producer says they are; only what they state of what they want counts."""
    from evaluation.driver import Driver
    from schemas.behaviour import View

    lists = []
    for attributes in ({}, {"gender": "f", "age": 61, "origin": "elsewhere"}, {"gender": "m", "age": 22}):
        driver = Driver(msgspec.structs.replace(market.PACK, models=models, explore=1), publishes=True)
        for k in range(60):
            driver.put_item(job(k))
        for k in range(40):
            who = f"u{k % 5}"
            driver.take("users", who.encode(), User(user_id=who, attributes=attributes or None, tz="UTC"), NOW_MS + k)
            seen = View(event_id=f"e{k}", user_id=who, ts_ms=NOW_MS + k * 60_000, item_id=f"j{k * 7 % 60}")
            driver.take("views", who.encode(), seen, seen.ts_ms)
            driver.catch_up(seen.ts_ms)
        lists.append(driver.published)
    assert lists[0] == lists[1] == lists[2]
    assert len(lists[0]) == 5


def test_nearness_is_of_the_same_city_and_region_by_hand() -> None:
    made = market.replica()
    made.put_item(job(500, location=Location(city="Houston", region="TX", country="US")))
    rows = np.array(made.catalogue.rows_of(["j0", "j500", "j4"]), np.intp)  # Austin, elsewhere in Texas, Boston
    at_home = person((1, VIEW), stated={"location": {"city": "Austin", "region": "TX"}})
    taste = taste_of(at_home, NOW_MS, made)
    everyone = everything(taste, NOW_MS, made)
    found = features.features(everyone, taste, NOW_MS, made)[features.LOCATION]
    near = dict(zip(everyone.rows.tolist(), found.tolist(), strict=True))
    assert [near[row] for row in rows.tolist()] == pytest.approx([1.0, 0.3, 0.0])
