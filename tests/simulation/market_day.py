"""A small policy and a valid-record check, shared by the tests of all worlds."""

import json
from collections import Counter
from dataclasses import dataclass, field

from schemas.decode import Invalid, decode
from simulation.local_time import DAY_MS
from simulation.mailbox import MailedMarket
from simulation.world import Record, make_world

HOUR_MS = 3_600_000


@dataclass
class Run:
    """What a world said under a policy."""

    world: MailedMarket
    catalogue: list[Record]
    history: list[Record]
    live: list[Record] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return Counter(r["topic"] for r in self.live)

    @property
    def outcomes(self) -> dict[str, float]:
        return self.world.outcomes()


def run(name: str, policy: str, seed: int = 1, users: int = 120, days: int = 10, hour: int = 15) -> Run:
    """`policy`: nothing, newest (slates and one mail a day), best (the oracle's)."""
    world = make_world(name, seed, users, days)
    assert isinstance(world, MailedMarket)
    done = Run(world, list(world.catalogue()), list(world.history()))
    items = [r["key"] for r in done.catalogue if r["topic"] == "items"]
    people = [r["key"] for r in done.catalogue if r["topic"] == "users"]

    def choose(user_id: str, ts_ms: int) -> list[str]:
        return world.best_items(user_id, ts_ms) if policy == "best" else items[-10:]

    def slate(user_id: str, ts_ms: int) -> Record | None:
        if policy == "nothing":
            return None
        rows = [{"item_id": item, "rank": n} for n, item in enumerate(choose(user_id, ts_ms))]
        value = {"rec_id": f"r-{user_id}-{ts_ms}", "user_id": user_id, "ts_ms": ts_ms, "items": rows}
        return {"topic": "recommendations", "key": user_id, "value": value}

    for day in range(days):
        at = world.start_ms + day * DAY_MS + hour * HOUR_MS
        for record in world.advance(at, slate):
            done.live.append(record)
            if record["topic"] == "items" and record["key"] not in items:
                items.append(record["key"])
        if policy != "nothing":
            for user in people:
                chosen = [{"item_id": item} for item in choose(user, at)]
                value = {"digest_id": f"d-{user}-{day}", "user_id": user, "campaign": "digest", "items": chosen}
                world.deliver({"topic": "digests", "key": user, "value": value}, at)
    done.live += world.advance(world.start_ms + days * DAY_MS, slate)
    return done


def faults(records: list[Record]) -> list[str]:
    """What the schemas refuse."""
    found = []
    for record in records:
        answer = decode(record["topic"], record["key"].encode(), json.dumps(record["value"]).encode())
        if isinstance(answer, Invalid):
            found.append(f"{record['topic']} {answer.field}: {answer.reason}")
    return found
