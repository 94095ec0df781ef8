"""A small seeded job market for tests: items, people and lessons, and a replica that knows them."""

import random

from processors.learner import MARKER_KEY, Learner
from processors.pack import Pack
from processors.profile import Action, Profile, Stated
from processors.replica import Replica
from schemas.catalogue import Item, Location, Salary
from schemas.learning import Example, Lesson

DAY_MS = 86_400_000
NOW_MS = 1_700_000_000_000
PACK = Pack(name="jobs", salary_veto=True)
TRADES = ("night nurse icu", "welder shipyard", "java developer", "pastry cook", "truck driver", "shop assistant")
CITIES = (("Austin", "TX", 30.27, -97.74), ("Dallas", "TX", 32.78, -96.8), ("Boston", "MA", 42.36, -71.06))


def job(number: int, **changed: object) -> Item:
    """Job `number`, the same at every call."""
    trade = TRADES[number % len(TRADES)]
    city, region, lat, lon = CITIES[number // 2 % len(CITIES)]
    fields: dict[str, object] = {
        "item_id": f"j{number}",
        "title": f"{trade.title()} {number}",
        "brand": f"Employer {number % 17}",
        "categories": (trade.split()[0],),
        "location": Location(lat=lat, lon=lon, city=city, region=region, country="US"),
        "salary": Salary(max=30_000.0 + 1_000.0 * (number % 40)),
        "posted_ms": NOW_MS - (number * 37 % 400 + 1) * 3_600_000,
        "expires_ms": NOW_MS + 30 * DAY_MS,
    }
    return Item(**(fields | changed))  # type: ignore[arg-type]


def lessons(count: int, jobs: int = 60, seed: int = 1, size: int = 3) -> list[Lesson]:
    """Lessons in which people mostly look at jobs of one trade."""
    rng = random.Random(seed)
    made = []
    offset = 0
    for _ in range(count):
        examples = []
        for _ in range(rng.randint(1, size)):
            trade = rng.randrange(len(TRADES))
            seen = [rng.randrange(jobs // len(TRADES)) * len(TRADES) + trade for _ in range(rng.randint(1, 11))]
            target, *past = dict.fromkeys(seen)
            ts_ms = NOW_MS - 20 * DAY_MS + offset * 60_000 - rng.randrange(DAY_MS)
            history = tuple((f"j{k}", rng.randrange(4), ts_ms - 60_000 * n) for n, k in enumerate(past, 1))
            action = rng.randrange(4)
            weight = (1.0, 2.0, 3.0, 4.0)[action]
            examples.append(Example(rng.randrange(2), offset, ts_ms, action, f"j{target}", history, weight))
            offset += 1
        made.append(Lesson("views", tuple(examples)))
    return made


def taught(pack: Pack, given: list[Lesson]) -> Learner:
    learner = Learner(pack)
    for offset, lesson in enumerate(given):
        learner.learn(lesson, offset)
    return learner


def replica(jobs: int = 60, pack: Pack = PACK, given: list[Lesson] | None = None) -> Replica:
    """A replica with `jobs` jobs, taught `given` or the default lessons."""
    made = Replica(pack)
    for number in range(jobs):
        made.put_item(job(number))
    given = lessons(150, jobs) if given is None else given
    learner = taught(pack, given)
    for key, value in learner.dirty_rows().items():
        made.apply_row(key, value)
    made.apply_row(MARKER_KEY, learner.marker(len(given) - 1))
    return made


def person(*actions: tuple[int, int], stated: dict[str, object] | None = None, **fields: object) -> Profile:
    """Someone who did (job, action) in this order, an hour apart, the last an hour ago."""
    done = [
        Action(NOW_MS - (len(actions) - i) * 3_600_000, "views", i, f"j{number}", action)
        for i, (number, action) in enumerate(actions)
    ]
    said = {field: Stated(NOW_MS, "users", value) for field, value in (stated or {}).items()}
    return Profile(actions=done, stated=said, **fields)  # type: ignore[arg-type]
