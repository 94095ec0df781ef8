"""New item → people: who waits, who hears at once, and why somebody does not."""

import random

import msgspec
import pytest

from processors.campaigns.waiting import Waiting
from processors.effects import Mailing, Planned
from processors.mail_rules import MailRules
from processors.mailing import mail_at_once
from processors.profile import Stated
from processors.words import words
from schemas.behaviour import Preference, Unsubscribe
from schemas.catalogue import Alert, Item, User
from tests.processors.market import NOW_MS, PACK, job
from tests.processors.test_campaigns import TOPICS, One, replica_of

HOUR_MS = 3_600_000
NOON_MS = NOW_MS - NOW_MS % 86_400_000 + 12 * HOUR_MS
TOPICS |= {Preference: "preferences", Unsubscribe: "unsubscribes"}


def waiting_for(query: str = "pastry cook", now_ms: int = NOON_MS, tz: str = "UTC", **more: object) -> One:
    pack = msgspec.structs.replace(PACK, mail=MailRules(holdout=0.0))
    one = One(replica_of(pack))
    fields: dict[str, object] = {"frequency": "instant", "tz": tz, "email_opt_in": True} | more
    alerts = (Alert(alert_id="a", query=query),)
    one.do(User(user_id="u1", ts_ms=now_ms - HOUR_MS, alerts=alerts, **fields))  # type: ignore[arg-type]
    one.replica.put_item(job(3, item_id="fresh", title="Pastry Cook, Bistro", posted_ms=now_ms - 60_000))
    return one


def told(one: One, now_ms: int = NOON_MS) -> list[str]:
    said = []
    for effect in mail_at_once(one.profile, "u1", "fresh", now_ms, one.replica):
        if isinstance(effect, Mailing):
            said.append(f"{effect.digest.campaign}: {effect.digest.items[0].item_id}")
        elif isinstance(effect, Planned) and effect.decision.suppressed:
            said.append(effect.decision.reason)
    return said


def test_who_fits_hears_at_once_and_once() -> None:
    one = waiting_for()
    assert told(one) == ["alert: fresh"]
    assert told(one, NOON_MS + 1_000) == []


def test_quiet_hours_and_caps_are_told_and_the_item_is_in_the_next_mail() -> None:
    asleep = waiting_for(tz="Asia/Tokyo", now_ms=NOON_MS + 6 * HOUR_MS)
    assert told(asleep, NOON_MS + 6 * HOUR_MS) == ["not now: quiet hours (03:00 there)"]
    full = waiting_for()
    assert told(full) == ["alert: fresh"]
    full.replica.put_item(job(9, item_id="fresh", title="Pastry Cook, Hotel", posted_ms=NOON_MS + HOUR_MS))
    assert told(full, NOON_MS + 2 * HOUR_MS) == ["not now: at most 1 a day"]


@pytest.mark.parametrize("why", ["daily", "unsubscribed", "another title", "paused", "no plan"])
def test_nobody_else_hears(why: str) -> None:
    one = waiting_for(query="truck driver" if why == "another title" else "pastry cook")
    about = {"event_id": "e", "user_id": "u1", "ts_ms": NOON_MS - 1_000}
    match why:
        case "daily":
            one.do(Preference(**about, frequency="daily"))  # type: ignore[arg-type]
        case "unsubscribed":
            one.do(Unsubscribe(**about))  # type: ignore[arg-type]
        case "paused":
            one.do(Preference(**about, pause_until_ms=NOON_MS + HOUR_MS))  # type: ignore[arg-type]
        case "no plan":
            one.state.plan = None
    assert told(one) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_index_says_what_asking_everybody_would(seed: int) -> None:
    """An oracle: every query against every item, one by one; people come, change their minds and go."""
    rng, waiting = random.Random(seed), Waiting()
    vocabulary = [f"word{n}" for n in range(12)]
    people: dict[bytes, list[str]] = {}
    for _ in range(300):
        key = f"u{rng.randrange(60)}".encode()
        queries = [" ".join(rng.sample(vocabulary, rng.randint(1, 3))) for _ in range(rng.randint(0, 3))]
        frequency = rng.choice(["instant", "instant", "daily"])
        waiting.put(key, {"frequency": Stated(1, "users", frequency), "alerts": Stated(1, "users", queries)})
        people[key] = queries if frequency == "instant" else []
        if rng.random() < 0.1:
            waiting.drop(key)
            people[key] = []
    assert len(waiting) == sum(bool(queries) for queries in people.values())
    for _ in range(50):
        title = " ".join(rng.sample(vocabulary, 5))
        said = set(words(title))
        expected = sorted(k for k, queries in people.items() if any(set(words(q)) <= said for q in queries))
        assert waiting.match(Item(item_id="i", title=title)) == expected
