"""Mail, whatever the order of events: consent, caps, quiet hours, once per decision; credit; zones."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.effects import Arrival, Mailing, Planned, TeachMail, Wake
from processors.mail_rules import MailRules
from processors.pack import Pack
from processors.pipeline import Rules, admit, pending, step, wake
from processors.profile import Profile, Skimmed, decode, encode, skim
from processors.randomness import Randomness
from processors.replica import Replica
from processors.send_decision import allowed_hours
from processors.sending import MAX_MAILS
from processors.sending_wire import packed
from processors.zones import local_day, local_slot
from schemas.behaviour import Click, Event, Open, Origin, Preference, Send, Unsubscribe, View
from schemas.catalogue import User
from schemas.decisions import Digest, SendTime
from tests.processors.market import job

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
SPRING_MS = 1_743_206_400_000
"""2025-03-29 00:00 UTC: in the night after, Berlin has no hour from two to three."""
ALWAYS = MailRules(holdout=0.0, min_new_items=0)
TOPICS = {"View": "views", "Open": "opens", "Click": "clicks", "Send": "sends", "Unsubscribe": "unsubscribes"}
TOPICS |= {"Preference": "preferences", "User": "users"}


def make_replica(rules: MailRules = ALWAYS) -> Replica:
    made = Replica(Pack(name="jobs", mail=rules))
    for number in range(60):
        made.put_item(job(number, expires_ms=None))
    return made


REPLICA = make_replica()
SILENT = make_replica(MailRules(holdout=0.0, min_new_items=50))


class House:
    """One person's pipeline with its timer; mails that go are reported by `sends`, as the mailer does."""

    def __init__(self, replica: Replica = REPLICA, reports: bool = True) -> None:
        self.replica, self.reports = replica, reports
        self.profile, self.offsets = Profile(), dict[str, int]()
        self.mails: list[Digest] = []
        self.decisions: list[SendTime] = []
        self.labels: list[TeachMail] = []

    def take(self, event: Event | User, now_ms: int) -> None:
        topic = TOPICS[type(event).__name__]
        offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
        arrival = Arrival(event, topic, 0, offset, now_ms)
        assert admit(self.profile, arrival) in ("apply", "duplicate")
        self.note(step(self.profile, arrival, now_ms, self.replica, Randomness(arrival.source_id), Rules()))

    def note(self, effects: list[object]) -> None:
        for effect in effects:
            match effect:
                case Planned(decision=decision):
                    self.decisions.append(decision)
                case Mailing(digest=digest):
                    self.mails.append(digest)
                case TeachMail():
                    self.labels.append(effect)
                case _:
                    pass

    def until(self, now_ms: int) -> None:
        for _ in range(1_000):
            due = next((w for w in pending(skim(encode(self.profile))) if w.kind == "mail"), None)
            if due is None or due.due_ms > now_ms:
                return
            seen = len(self.mails)
            self.note(wake(self.profile, "u1", due, self.replica, Randomness(f"u1/{due.due_ms}")))
            if self.reports and len(self.mails) > seen:
                digest = self.mails[-1]
                sent = Send(
                    event_id=f"s-{digest.digest_id}",
                    user_id="u1",
                    ts_ms=digest.due_ms + 1_000,
                    send_id=digest.digest_id,
                )
                self.take(sent, digest.due_ms + 1_000)
        raise AssertionError("the timer never rests")


def user(ts_ms: int, tz: str | None = "Europe/Berlin", opt_in: bool | None = True) -> User:
    return User(user_id="u1", ts_ms=ts_ms, tz=tz, email_opt_in=opt_in, segment="early")


def view(number: int, ts_ms: int, origin: Origin | None = None) -> View:
    return View(event_id=f"v{number}-{ts_ms}", user_id="u1", item_id=f"j{number % 60}", ts_ms=ts_ms, origin=origin)


def drawn(seed: int) -> Iterator[tuple[int, Event | User]]:
    """Three weeks of somebody's events; times rise, what they are is random."""
    rng, ts_ms = random.Random(seed), SPRING_MS - 5 * DAY_MS
    for n in range(80):
        ts_ms += rng.randrange(12 * HOUR_MS)
        about = {"event_id": f"e{n}", "user_id": "u1", "ts_ms": ts_ms}
        kind = rng.choice(["view"] * 6 + ["open", "click", "user", "zone", "pause", "weekly", "leave"])
        if kind == "view":
            yield ts_ms, view(n, ts_ms)
        elif kind in ("open", "click"):
            yield ts_ms, (Open if kind == "open" else Click)(**about, send_id=f"mail{rng.randrange(3)}")  # type: ignore[arg-type]
        elif kind == "user":
            yield ts_ms, user(ts_ms, opt_in=rng.random() < 0.8)
        elif kind == "zone":
            yield ts_ms, user(ts_ms, tz=rng.choice(["America/New_York", "Asia/Kolkata", "Europe/Berlin"]))
        elif kind == "pause":
            yield ts_ms, Preference(**about, pause_until_ms=ts_ms + rng.randrange(3 * DAY_MS))  # type: ignore[arg-type]
        elif kind == "weekly":
            yield ts_ms, Preference(**about, frequency=rng.choice(["weekly", "daily", "paused"]))  # type: ignore[arg-type]
        elif rng.random() < 0.3:
            yield ts_ms, Unsubscribe(**about)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_no_mail_against_consent_caps_or_the_clock(seed: int) -> None:
    house = House()
    house.take(user(SPRING_MS - 5 * DAY_MS), SPRING_MS - 5 * DAY_MS)
    for ts_ms, event in drawn(seed):
        left_ms, seen = (house.profile.sending.left_ms if house.profile.sending else 0), len(house.mails)
        opted = house.profile.stated["email_opt_in"]
        stopped = (left_ms and opted.ts_ms <= left_ms) or opted.value is False
        paused = house.profile.said("frequency") == "paused"
        until = house.profile.said("pause_until_ms") or 0
        house.until(ts_ms)
        fresh = house.mails[seen:]
        assert not fresh or not (stopped or paused)
        assert all(mail.due_ms >= until for mail in fresh)
        zone = house.profile.said("tz") or "UTC"
        for mail in fresh:
            assert 7 <= local_slot(zone, mail.due_ms) % 24 < 23
        house.take(event, ts_ms)
    times = [mail.due_ms for mail in house.mails]
    assert all(times[n + 4] - times[n] >= 7 * DAY_MS for n in range(len(times) - 4))
    assert len({mail.digest_id for mail in house.mails}) == len(house.mails)
    assert len({decision.decision_id for decision in house.decisions}) == len(house.decisions)
    for decision in house.decisions:
        assert (decision.send_at_ms is None) == (decision.suppressed is not None)
        assert decision.reason
        if decision.propensity is not None:
            total = decision.propensity + sum(other.propensity for other in decision.alternatives)
            assert total == pytest.approx(1.0)


def test_one_mail_a_day_of_the_calendar() -> None:
    house = House(make_replica(MailRules(holdout=0.0, min_new_items=0, max_per_week=16)))
    house.take(user(SPRING_MS), SPRING_MS)
    for day in range(20):
        house.take(view(day, SPRING_MS + day * DAY_MS + HOUR_MS), SPRING_MS + day * DAY_MS + HOUR_MS)
        house.until(SPRING_MS + (day + 1) * DAY_MS)
    days = [local_day("Europe/Berlin", mail.due_ms) for mail in house.mails]
    assert len(days) >= 5
    assert all(earlier < later for earlier, later in pairwise(days))


def test_leaving_between_the_decision_and_the_send_stops_it() -> None:
    house = House()
    house.take(user(SPRING_MS), SPRING_MS)
    planned = house.decisions[-1]
    assert planned.send_at_ms is not None
    left = Unsubscribe(event_id="x", user_id="u1", ts_ms=planned.send_at_ms - 1)
    house.take(left, left.ts_ms)
    house.until(SPRING_MS + 30 * DAY_MS)
    assert house.mails == []
    assert house.decisions[-1].suppressed == "unsubscribed"


def test_dues_of_old_data_mail_nobody() -> None:
    house = House()
    house.take(user(SPRING_MS), SPRING_MS)
    due = house.decisions[-1].send_at_ms
    assert due is not None
    effects = wake(house.profile, "u1", Wake(due, "mail"), REPLICA, Randomness("x"), clock_ms=due + 8 * DAY_MS)
    assert [type(effect).__name__ for effect in effects] == ["Stale"]
    assert not any(w.kind == "mail" for w in pending(skim(encode(house.profile))))


def test_a_missed_hour_is_planned_anew_on_the_wall_clock() -> None:
    house = House()
    house.take(user(SPRING_MS), SPRING_MS)
    due = house.decisions[-1].send_at_ms
    assert due is not None
    late = due + 3 * HOUR_MS
    effects = wake(house.profile, "u1", Wake(due, "mail"), REPLICA, Randomness("x"), clock_ms=late, is_wall=True)
    planned = [effect.decision for effect in effects if isinstance(effect, Planned)]
    assert not any(isinstance(effect, Mailing) for effect in effects)
    assert planned[0].send_at_ms is not None
    assert planned[0].send_at_ms >= late


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(6)))
def test_what_is_kept_does_not_depend_on_the_order_between_topics(order: list[int]) -> None:
    """A click may come before its send, a visit before the click that caused it."""
    noon = SPRING_MS + 11 * HOUR_MS
    events: list[Event] = [
        Send(event_id="s", user_id="u1", ts_ms=noon, send_id="m"),
        Open(event_id="o", user_id="u1", ts_ms=noon + 60_000, send_id="m"),
        Click(event_id="c", user_id="u1", ts_ms=noon + 90_000, send_id="m"),
        view(1, noon + 95_000, Origin(surface="email", send_id="m")),
        view(2, noon - 5 * HOUR_MS),
        view(3, noon + 2 * HOUR_MS),
    ]
    found = []
    for sequence in (range(6), order):
        house = House(SILENT)
        house.take(user(SPRING_MS), SPRING_MS)
        for place in sequence:
            house.take(events[place], max(events[place].ts_ms, SPRING_MS))
        state = house.profile.sending
        assert state is not None
        found.append((state.mails, state.seen_ms, state.activity, state.successes))
    assert msgspec.msgpack.encode(found[0]) == msgspec.msgpack.encode(found[1])


def test_settled_mails_are_taught_once() -> None:
    house = House()
    house.take(user(SPRING_MS), SPRING_MS)
    house.until(SPRING_MS + 15 * DAY_MS)
    assert len(house.mails) >= 5
    assert len({label.label.id for label in house.labels}) == len(house.labels)
    assert len(house.mails) - 3 <= len(house.labels) <= len(house.mails)


def test_the_state_is_small() -> None:
    house = House(make_replica(MailRules(holdout=0.0, min_new_items=0, max_per_week=16)))
    house.take(user(SPRING_MS), SPRING_MS)
    for day in range(60):
        ts_ms = SPRING_MS + day * DAY_MS
        house.until(ts_ms)
        for n in range(4):
            house.take(view(day * 4 + n, ts_ms + n * HOUR_MS), ts_ms + n * HOUR_MS)
        for mail in house.mails[-1:]:
            at_ms = mail.due_ms + HOUR_MS
            house.take(Click(event_id=f"c{day}", user_id="u1", ts_ms=at_ms, send_id=mail.digest_id), at_ms)
    state = house.profile.sending
    assert state is not None
    assert len(state.mails) == MAX_MAILS
    assert len(msgspec.msgpack.encode(packed(state))) <= 1_200  # the ledger of two weeks in it
    assert decode(encode(house.profile)).sending == state


def test_skimmed_fields_are_those_of_a_profile() -> None:
    assert Skimmed.__struct_fields__ == Profile.__struct_fields__


def test_no_mail_on_a_holiday_of_the_persons_calendar() -> None:
    def days_mailed(rules: MailRules) -> set[int]:
        house = House(make_replica(rules))
        house.take(user(SPRING_MS), SPRING_MS)
        for day in range(10):
            house.take(view(day, SPRING_MS + day * DAY_MS + HOUR_MS), SPRING_MS + day * DAY_MS + HOUR_MS)
            house.until(SPRING_MS + (day + 1) * DAY_MS)
        return {local_day("Europe/Berlin", mail.due_ms) for mail in house.mails}

    usual = MailRules(holdout=0.0, min_new_items=0, max_per_week=16, explored=0.0)
    first = sorted(days_mailed(usual))[1]
    holiday = date(1970, 1, 1) + timedelta(days=first)
    without = days_mailed(msgspec.structs.replace(usual, holidays=(holiday,)))
    assert without
    assert first not in without


def test_an_hour_that_the_clocks_skip_is_never_offered() -> None:
    round_the_clock = MailRules(window_from_hour=0, window_to_hour=24, quiet_from_hour=0, quiet_to_hour=0)
    before_ms = SPRING_MS + DAY_MS - 4 * HOUR_MS
    offered = allowed_hours("Europe/Berlin", before_ms, round_the_clock).hours
    assert [hour.slot for hour in offered if hour.slot in (145, 146, 147)] == [145, 147]
    assert len(offered) == 24
    in_utc = allowed_hours("UTC", before_ms, round_the_clock).hours
    assert 146 in [hour.slot for hour in in_utc]
