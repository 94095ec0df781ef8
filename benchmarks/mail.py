"""The scheduler's two loads, in one process: scoring people against all items, and new items against people.

    python -m benchmarks.mail                                     # 100,000 people, 100,000 items
    python -m benchmarks.mail --people 10000 --items 20000 --json

Time is the process's CPU time: the machine may be shared. `pairs` is user-item pairs scored by the ranker's own array
path (eligibility, features, scores), the list included; `alerts` is from the arrival of a new item to the last digest
for everybody it is due to, in one worker that holds all people, with what Kafka and the flush add left out.
"""

import argparse
import json
import random
import time
from typing import Any

import numpy as np

from processors.campaigns.waiting import Waiting
from processors.effects import Arrival, Mailing
from processors.mail_rules import MailRules
from processors.mailing import mail_at_once
from processors.pack import Pack
from processors.pipeline import admit, step
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import ranked_all
from processors.replica import Replica
from processors.taste import taste_of
from schemas.behaviour import View
from schemas.catalogue import Alert, Item, Location, Salary, User

NOW_MS = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 12 * 3_600_000
DAY_MS = 86_400_000
WORDS = ("night", "senior", "junior", "lead", "hotel", "clinic", "hospital", "bistro", "remote", "shipyard", "school")
KINDS = ("cook", "nurse", "driver", "welder", "clerk", "tutor", "analyst", "guard")
CRAFTS = ("bakery", "icu", "truck", "marine", "office", "maths", "data", "event", "retail", "care")
TRADES = tuple(f"{kind} {craft}" for kind in KINDS for craft in CRAFTS)


def job(n: int, rng: random.Random, **more: Any) -> Item:
    city = rng.randrange(200)
    fields: dict[str, Any] = {
        "item_id": f"j{n}",
        "title": f"{rng.choice(WORDS)} {rng.choice(TRADES)} {rng.choice(WORDS)}",
        "brand": f"Employer {rng.randrange(5_000)}",
        "categories": (rng.choice(TRADES),),
        "location": Location(city=f"City {city}", region=f"Region {city % 20}", lat=48 + city / 100, lon=2 + city / 50),
        "salary": Salary(max=30_000.0 + rng.randrange(60) * 1_000),
        "posted_ms": NOW_MS - rng.randrange(40 * DAY_MS),
        "expires_ms": NOW_MS + DAY_MS * (3 + rng.randrange(40)),
    }
    return Item(**(fields | more))


def person(n: int, rng: random.Random, items: int, replica: Replica, views: int) -> Profile:
    profile, user_id = Profile(), f"u{n}"
    alerts = (Alert(alert_id="a", query=rng.choice(TRADES)),)
    row = User(
        user_id=user_id, ts_ms=NOW_MS - 3 * DAY_MS, tz="UTC", email_opt_in=True, frequency="instant", alerts=alerts
    )
    facts: list[Any] = [("users", row)]
    for k in range(views):
        event = View(
            event_id=f"{n}-{k}", user_id=user_id, item_id=f"j{rng.randrange(items)}", ts_ms=NOW_MS - DAY_MS + k
        )
        facts.append(("views", event))
    for offset, (topic, fact) in enumerate(facts):
        arrival = Arrival(fact, topic, 0, offset, NOW_MS - 3 * DAY_MS)
        admit(profile, arrival)
        step(profile, arrival, fact.ts_ms, replica, Randomness(arrival.source_id))
    return profile


def pairs(replica: Replica, profiles: list[Profile], people: int) -> dict[str, Any]:
    """Everybody against everything."""
    rates = []
    for profile in profiles[:people]:
        begun_s = time.process_time()
        ranking = ranked_all(profile, taste_of(profile, NOW_MS, replica), NOW_MS, replica)
        took_s = time.process_time() - begun_s
        rates.append(len(replica.catalogue) / took_s)
        assert len(ranking.scores) > 0
    return {
        "people": people,
        "items": len(replica.catalogue),
        "pairs_per_s_median": round(float(np.median(rates))),
        "pairs_per_s_p10": round(float(np.quantile(rates, 0.1))),
    }


def alerts(replica: Replica, profiles: list[Profile], arrivals: int, rng: random.Random) -> dict[str, Any]:
    """New items, one after another, to everybody who waits for one."""
    waiting = Waiting()
    begun_s = time.process_time()
    for n, profile in enumerate(profiles):
        waiting.put(str(n).encode(), profile.stated)
    index_s = time.process_time() - begun_s
    latencies: list[float] = []
    match_s: list[float] = []
    looked = 0
    begun_s = time.process_time()
    for k in range(arrivals):
        item = job(10_000_000 + k, rng, posted_ms=NOW_MS - 1_000)
        replica.put_item(item)
        match_begun_s = time.process_time()
        keys = waiting.match(item)
        match_s.append(time.process_time() - match_begun_s)
        for key in keys:
            looked += 1
            effects = mail_at_once(profiles[int(key)], f"u{int(key)}", item.item_id, NOW_MS, replica)
            if any(isinstance(effect, Mailing) for effect in effects):
                latencies.append(time.process_time() - begun_s)  # all of them arrived at once, at the beginning
    return {
        "people": len(profiles),
        "new_items_at_once": arrivals,
        "looked_at": looked,
        "digests": len(latencies),
        "index_s": round(index_s, 2),
        "match_ms_per_item": round(1_000 * float(np.mean(match_s)), 2),
        "arrival_to_digest_s_p50": round(float(np.quantile(latencies, 0.5)), 2),
        "arrival_to_digest_s_p99": round(float(np.quantile(latencies, 0.99)), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--scored", type=int, default=40, help="people who are scored against all items")
    parser.add_argument("--arrivals", type=int, default=20, help="new items at the same moment")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rng = random.Random(1)
    replica = Replica(Pack(name="jobs", salary_veto=True, mail=MailRules(holdout=0.0, explored=0.0)))
    for n in range(given.items):
        replica.put_item(job(n, rng))
    profiles = [person(n, rng, given.items, replica, views=8 if n < given.scored else 1) for n in range(given.people)]
    found = {
        "pairs": pairs(replica, profiles, given.scored),
        "alerts": alerts(replica, profiles, given.arrivals, rng),
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(name)
        for label, value in figures.items():
            print(f"  {label:<26}{value:>14,}")


if __name__ == "__main__":
    main()
