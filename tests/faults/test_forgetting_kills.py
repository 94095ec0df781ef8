"""The learner is killed while items come and go by the day: what it forgets, it forgets exactly once and for good."""

import random
from collections.abc import Callable, Iterator

import pytest

from processors.item_rows import decode_item_row, is_forgotten
from tests.faults.cluster import Cluster
from tests.faults.settle import catch_up, kill_the_learner, settle
from tests.faults.traffic import START_MS, Record, Sender, send
from tests.faults.verdict import last_records, read
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

DAY_MS = 86_400_000
A_DAY = 60
"""Events to a day of the log."""
EVENTS = 5_000
ITEMS = 10 * (EVENTS // A_DAY + 1)


def expires_ms(item: int) -> int | None:
    return START_MS + (item // 10 + 5) * DAY_MS if item % 3 else None


def expires(key: bytes) -> bool:
    """Whether the item of a row of `model` is one of those. Of the others a view may come after the retirement, and
    after they were forgotten: how many depends on how far the topics are apart.
    """
    return expires_ms(int(key[6:])) is not None


def catalogue() -> Iterator[Record]:
    """Two of three expire. All are known before any is seen: of one that is not, nobody can say when it ends."""
    for item in range(ITEMS):
        value: dict[str, object] = {"item_id": f"i{item}", "title": f"Nurse {item % 17}"}
        if (ends := expires_ms(item)) is not None:
            value["expires_ms"] = ends
        yield "items", f"i{item}", value


def churn(seed: int) -> Iterator[Record]:
    """Ten items more are looked at each day, for four days; those that do not expire are retired after a week."""
    rnd = random.Random(seed)
    for n in range(EVENTS):
        day = n // A_DAY
        if n % A_DAY == 30 and day > 6:
            for item in range(10 * (day - 7), 10 * (day - 6)):
                if not item % 3:
                    yield "items", f"i{item}", None
        user = f"u{rnd.randrange(60)}"
        item = 10 * day + rnd.randrange(10) - (10 * rnd.randrange(4) if day > 4 else 0)
        at_ms = START_MS + n * DAY_MS // A_DAY
        yield "views", user, {"event_id": f"e{n}", "user_id": user, "ts_ms": at_ms, "item_id": f"i{item}"}


@pytest.mark.parametrize(("models", "seed"), [("spine", 1), ("spine", 2), ("blend", 3)])
def test_what_is_forgotten_stays_so(
    models: str, seed: int, make_cluster: Callable[..., Cluster], figure: Callable[[str], None]
) -> None:
    cluster = make_cluster(models=models, pack="forget_after_d = 3.0\n", ATTUNE_FLUSH_MS="50")
    send(cluster.settings, catalogue())
    cluster.keep("behaviour", 1)
    cluster.keep("learner", 1)
    eventually(cluster.all_ready, 60, 0.3, "workers that run")
    rnd = random.Random(seed)
    sender = Sender(cluster.settings, churn(seed), 300.0).start()
    kills = kill_the_learner(cluster, sender, rnd, 1.0, 4.0)
    catch_up(cluster, 1)
    later = {"event_id": "last", "user_id": "u1", "ts_ms": START_MS + EVENTS * DAY_MS // A_DAY, "item_id": "i1"}

    def nulls() -> int:
        """Tombstones of items; they come with a flush, which needs something to learn."""
        later["event_id"] = f"last-{rnd.random()}"
        send(cluster.settings, iter([("views", "u1", dict(later))]))
        return sum(m.value() is None for m in read(cluster.settings.bootstrap, "model"))

    eventually(lambda: nulls() > 0, 60, 2.0, "tombstones of what was forgotten")
    verdict = settle(cluster, 1, cold=True)
    assert verdict.exact, str(verdict)
    model = list(read(cluster.settings.bootstrap, "model"))
    rows = {key: row for key, row in last_records(cluster.settings.bootstrap, "model").items() if key[:5] == b"item/"}
    kept = {key: decode_item_row(row) for key, row in rows.items() if not is_forgotten(key, row)}
    ever = {m.key() for m in model if (m.key() or b"")[:5] == b"item/"}
    gone = {m.key() for m in model if m.value() is None}
    assert sum(map(expires, kept)) < sum(map(expires, ever)) / 2
    assert not all(map(expires, gone)), "none of those that were retired is forgotten"
    assert max(row.number for row in kept.values()) < 3 * len(ever) / 4, "free numbers are given again"
    figure(f"{kills} kills, {len(kept)} of {len(ever)} items known, {sum(map(expires, kept))} of them expiring")
