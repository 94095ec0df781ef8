"""`attune profile` on changelogs written here: the dominating record counts, and tombstones do."""

import random

from processors.decay import EMPTY, add
from processors.erasure import marker_key, user_hash
from processors.profile import Action, Profile, Stated, encode
from schemas.partitioning import partition_of
from streams.producing import make_producer
from streams.settings import Settings
from streams.topics import PROFILES_CHANGELOG
from tests.cli.command import attune

DAY_MS = 86_400_000


def write(settings: Settings, rows: list[tuple[bytes, str, Profile | None]]) -> None:
    producer = make_producer(settings)
    for key, user_id, profile in rows:
        value = None if profile is None else encode(profile)
        partition = partition_of(user_id.encode(), settings.partitions)
        producer.produce(PROFILES_CHANGELOG, key=key, value=value, partition=partition)
    assert producer.flush(20) == 0


def own(user_id: str, profile: Profile | None) -> tuple[bytes, str, Profile | None]:
    return user_id.encode(), user_id, profile


def test_everything_kept_is_told(settings: Settings) -> None:
    level = add(add(EMPTY, 0, 1.0, DAY_MS), DAY_MS, 1.0, DAY_MS)
    profile = Profile(
        applied={"views": 41, "saves": 2},
        generation=3,
        totals={"views": 2, "saves": 1},
        counters={0: [level, level, level]},
        actions=[Action(DAY_MS, "views", 41, "i1", 0, 900)],
        affinities={"brand": {"Acme": (1.0, EMPTY)}},
        event_ids=[1, 2, 3],
        stated={"min_salary": Stated(5, "users", 40_000)},
        dismissed={"i9": (7, "pay")},
        last_event_ms=DAY_MS,
    )
    write(settings, [own("u1", profile)])
    done = attune("profile", "u1", "--json", bootstrap=settings.bootstrap)
    assert done.code == 0, done.err
    (told,) = done.lines
    assert told["user_id"] == "u1"
    assert told["totals"] | {"views": 2, "saves": 1, "applies": 0, "opens": 0, "erasures": 0} == told["totals"]
    assert told["counters"]["view"]["1d"] == 1.5
    assert told["last_actions"][0] | {"action": "view", "item_id": "i1", "dwell_ms": 900} == told["last_actions"][0]
    assert told["affinities"] == {"brand": {"Acme": 1.0}}
    assert told["stated"]["min_salary"] == {"value": 40_000, "source": "users", "ts_ms": 5}
    assert told["dismissed"] == {"i9": {"ts_ms": 7, "reason": "pay"}}
    assert told["applied_offsets"] == {"saves": 2, "views": 41}
    assert told["event_ids"] == 3
    assert told["last_event_ms"] == DAY_MS
    assert told["erased_ms"] is None
    shown = attune("profile", "u1", bootstrap=settings.bootstrap)
    assert shown.code == 0
    assert "Acme" in shown.out


def test_a_stale_record_does_not_count(settings: Settings) -> None:
    fresh = Profile(applied={"views": 9}, totals={"views": 10})
    stale = Profile(applied={"views": 7}, totals={"views": 8}, generation=1)
    write(settings, [own("u1", Profile(applied={"views": 1})), own("u1", fresh), own("u1", stale)])
    (told,) = attune("profile", "u1", "--json", bootstrap=settings.bootstrap).lines
    assert told["totals"]["views"] == 10


def test_thousands_at_once_in_the_order_asked_for(settings: Settings) -> None:
    rows = [own(f"u{n}", Profile(applied={"views": v}, totals={"views": n})) for v in range(2) for n in range(5_000)]
    write(settings, rows)
    asked = [f"u{n}" for n in range(0, 5_000, 2)]
    random.Random(3).shuffle(asked)
    done = attune("profile", "--users-file", "-", "--json", stdin="\n".join(asked), bootstrap=settings.bootstrap)
    assert done.code == 0, done.err
    assert [(p["user_id"], p["totals"]["views"]) for p in done.lines] == [(u, int(u[1:])) for u in asked]
    assert done.seconds < 20


def test_nothing_kept_is_said(settings: Settings) -> None:
    write(settings, [own("u1", Profile(totals={"views": 1})), own("gone", Profile()), own("gone", None)])
    done = attune("profile", "gone", bootstrap=settings.bootstrap)
    assert done.code == 1
    assert done.err.splitlines() == ["error: nothing is kept about gone"]
    both = attune("profile", "u1", "gone", "--json", bootstrap=settings.bootstrap)
    assert both.code == 1
    assert [told["user_id"] for told in both.lines] == ["u1"]
    assert "1 of 2" in both.err


def test_of_an_erased_person_the_marker_is_told(settings: Settings) -> None:
    marker = Profile(applied={"erasures": 4}, erased_ms=77)
    write(settings, [own("u1", None), (marker_key(user_hash("secret", "u1")), "u1", marker)])
    done = attune("profile", "u1", "--json", bootstrap=settings.bootstrap, erasure_key="secret")
    (told,) = done.lines
    assert told["erased_ms"] == 77
    assert set(told["totals"].values()) == {0}
