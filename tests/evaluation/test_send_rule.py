"""Hours, caps and consent: what a person's mail goes by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evaluation.policies.audience import DAY_MS, HOUR_MS, Audience, Person
from evaluation.policies.lists import as_items
from evaluation.policies.send_rule import may_decide, most_active, within_caps, worth_it
from evaluation.replay_file import Record
from schemas.behaviour import Event, Origin, Preference, Search, Unsubscribe, View
from schemas.catalogue import Location, User

MONDAY_MS = int(datetime(2025, 3, 3, tzinfo=UTC).timestamp()) * 1000


def audience(*events: Event, **row: Any) -> tuple[Audience, Person]:
    found = Audience()
    found.take(Record(0, "users", b"u", User(user_id="u", **row)))
    for event in events:
        found.take(Record(event.ts_ms, "any", b"u", event))
    return found, found.people["u"]


def view(hour: int, day: int = 0, item: str = "i", surface: Any = None) -> View:
    at_ms = MONDAY_MS + day * DAY_MS + hour * HOUR_MS
    origin = Origin(surface=surface) if surface else None
    return View(event_id=f"v{at_ms}", user_id="u", item_id=item, ts_ms=at_ms, origin=origin)


def test_the_hour_is_local_and_that_of_most_visits() -> None:
    _, person = audience(*[view(19, day) for day in range(8)], tz="America/New_York")
    assert most_active("u", person, MONDAY_MS) == 14


def test_an_hour_of_many_looks_counts_once() -> None:
    busy = [View(event_id=f"v{n}", user_id="u", item_id="i", ts_ms=MONDAY_MS + n) for n in range(50)]
    _, person = audience(*busy, tz="UTC")
    assert sum(person.active_hours) == 1
    assert most_active("u", person, MONDAY_MS) == 10


def test_visits_that_mails_caused_say_nothing_of_the_rhythm() -> None:
    _, person = audience(*[view(20, day, surface="email") for day in range(20)], tz="UTC")
    assert sum(person.active_hours) == 0


def test_nobody_is_woken_at_night() -> None:
    searches = [
        Search(event_id=f"q{d}", user_id="u", query="x", ts_ms=MONDAY_MS + d * DAY_MS + 3 * HOUR_MS) for d in range(9)
    ]
    _, person = audience(*searches, tz="UTC")
    assert 7 <= most_active("u", person, MONDAY_MS) <= 22


def test_ten_is_ten_on_both_sides_of_the_change_of_clocks() -> None:
    _, person = audience(tz="Europe/Berlin")
    for day in range(40):
        local = person.local(MONDAY_MS + day * DAY_MS)
        assert person.local(person.at_hour(local, 10)).hour == 10
    assert person.at_hour(person.local(MONDAY_MS), 10) == MONDAY_MS + 9 * HOUR_MS


def test_a_zone_that_is_not_told_is_guessed_from_the_longitude() -> None:
    _, person = audience(location=Location(lat=40.7, lon=-74.0))
    assert person.local(MONDAY_MS).utcoffset().total_seconds() == -5 * 3600  # type: ignore[union-attr]
    _, nowhere = audience(tz="Not/AZone")
    assert nowhere.local(MONDAY_MS).hour == 0


def test_caps_are_one_a_day_and_four_a_week() -> None:
    who, person = audience(tz="UTC")
    for day in range(4):
        at_ms = MONDAY_MS + day * DAY_MS
        assert within_caps(person, at_ms)
        who.mailed("u", ["i"], at_ms)
        assert not within_caps(person, at_ms + 10 * HOUR_MS)
    assert not within_caps(person, MONDAY_MS + 6 * DAY_MS)
    assert within_caps(person, MONDAY_MS + 7 * DAY_MS)


def test_after_nothing_to_say_there_is_rest_until_the_person_comes() -> None:
    who, person = audience(tz="UTC")
    person.refused_ms = MONDAY_MS
    assert not may_decide(person, MONDAY_MS + DAY_MS)
    assert may_decide(person, MONDAY_MS + 3 * DAY_MS)
    who.take(Record(0, "views", b"u", view(5)))
    assert may_decide(person, MONDAY_MS + DAY_MS)


def test_news_is_what_was_neither_mailed_nor_seen() -> None:
    who, person = audience(view(9, item="b"), tz="UTC")
    who.mailed("u", ["a"], MONDAY_MS)
    assert not worth_it(person, as_items(["a", "b", "c", "d"], "test"), MONDAY_MS)
    assert worth_it(person, as_items(["a", "b", "c", "d", "e"], "test"), MONDAY_MS)
    assert not worth_it(person, (), MONDAY_MS)


@pytest.mark.parametrize(
    "event",
    [
        Unsubscribe(event_id="x", user_id="u", ts_ms=MONDAY_MS),
        Preference(event_id="x", user_id="u", ts_ms=MONDAY_MS, frequency="paused"),
        Preference(event_id="x", user_id="u", ts_ms=MONDAY_MS, pause_until_ms=MONDAY_MS + 2 * DAY_MS),
    ],
)
def test_no_means_no(event: Event) -> None:
    _, person = audience(tz="UTC")
    assert person.may_be_mailed(MONDAY_MS + DAY_MS)
    _, person = audience(event, tz="UTC")
    assert not person.may_be_mailed(MONDAY_MS + DAY_MS)


def test_without_consent_and_more_often_than_weekly_there_is_no_mail() -> None:
    assert not audience(email_opt_in=False)[1].may_be_mailed(MONDAY_MS)
    who, person = audience(Preference(event_id="x", user_id="u", ts_ms=MONDAY_MS, frequency="weekly"), tz="UTC")
    who.mailed("u", ["i"], MONDAY_MS)
    assert not person.may_be_mailed(MONDAY_MS + 6 * DAY_MS)
    assert person.may_be_mailed(MONDAY_MS + 7 * DAY_MS)
