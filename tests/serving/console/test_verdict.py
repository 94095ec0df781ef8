"""The one sentence: the worst thing wins, and it says who, since when and what to do."""

import pytest

from serving.console.heatmap import MAX_CELLS, drawn
from serving.console.lag_feed import LagFeed, View
from serving.console.objective import Window, window
from serving.console.verdict import verdict
from serving.console.workers import Page, Totals, Workers, parsed
from serving.lag.collector import Collector
from serving.lag.row import LagRow
from serving.lag.status import Status
from tests.architecture.rooms import ROOT

CHILD = 'attune_child_{what}{{role="behaviour",child="0"}} {value}\n'
GOOD = CHILD.format(what="up", value=1) + CHILD.format(what="ready", value=1)
DOWN = CHILD.format(what="up", value=0) + CHILD.format(what="ready", value=0)
READING = CHILD.format(what="up", value=1) + CHILD.format(what="ready", value=0)


def row(status: Status = Status.OK, partition: int = 0, lag: int = 0, lag_s: float = 0.0, lost: int = 0) -> LagRow:
    return LagRow("attune.behaviour", "views", partition, lag, lag_s, None, status, 1.0, lost, 2, True, 10, 10 + lag)


def workers(text: str = GOOD) -> Workers:
    found = Workers(["w1:1"])
    found.pages = (Page("w1:1", parsed(text)),)
    return found


def lag(*rows: LagRow) -> View:
    feed = LagFeed(lambda: Collector("127.0.0.1:1"), clock=lambda: 100.0)
    feed.take(rows or (row(),))
    return feed.view


FRESH = (Window(300.0, 300.0, 0.0), Window(3_600.0, 3_600.0, 0.0))
LATE = (Window(300.0, 300.0, 0.2), Window(3_600.0, 3_600.0, 0.15))
AWAY = View(lag().rows, 100.0, 0.1, "connection refused", 130.0)

CASES = {
    "all is well": (lag(), workers(), FRESH, "good", "Everything is on time"),
    "no broker": (AWAY, workers(), LATE, "bad", "Kafka does not answer: connection refused"),
    "a child is down": (lag(), workers(DOWN), FRESH, "bad", "One process is down: behaviour"),
    "stopped": (lag(row(Status.STOP, 3, 40, 90.0)), workers(), LATE, "bad", "has stopped on views[3]"),
    "stalled": (lag(row(Status.STALL, 3, 40, 90.0), row(Status.STALL, 4)), workers(), FRESH, "bad", "does not move on"),
    "both": (lag(row(Status.REWIND, 1, 40), row(Status.STOP, 3, 1)), workers(), FRESH, "bad", "has stopped"),
    "rewound": (lag(row(Status.REWIND, 3, 40)), workers(), FRESH, "bad", "went back on views[3]"),
    "lost": (lag(row(lost=1_200)), workers(), FRESH, "bad", "Retention took 1,200 records"),
    "redis": (lag(), workers(GOOD + "attune_redis_up 0\n"), FRESH, "warn", "cannot write to Redis"),
    "late": (lag(), workers(), LATE, "bad", "20.0% of decisions take more than 5 s"),
    "slow": (lag(row(Status.WARN, 3, 40, 9.0)), workers(), FRESH, "warn", "falls behind on views[3]"),
    "recovers": (lag(), workers(READING), FRESH, "warn", "One process is getting ready"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_sentence(name: str) -> None:
    view, of_workers, windows, level, words = CASES[name]
    found = verdict(view, of_workers, windows, 160.0)
    assert (found.level, words in found.sentence) == (level, True), found.sentence
    if found.runbook:
        assert (ROOT / "docs" / "runbook" / f"{found.runbook}.md").exists()
        assert found.first


def test_a_worker_that_does_not_answer_is_named() -> None:
    silent = Workers(["w2:1"])
    silent.pages = (Page("w2:1", error="timed out", since_s=50.0),)
    found = verdict(lag(), silent, FRESH, 160.0)
    assert found.sentence == "1 of 1 workers do not answer: w2:1."
    assert found.since_s == 50.0


def test_a_status_is_known_since_it_began() -> None:
    now = [100.0]
    feed = LagFeed(lambda: Collector("127.0.0.1:1"), clock=lambda: now[0])
    for moment, status in ((100.0, Status.OK), (110.0, Status.STOP), (120.0, Status.STOP)):
        now[0] = moment
        feed.take((row(status, 3, 5),))
    assert verdict(feed.view, workers(), FRESH, 130.0).since_s == 110.0


def test_a_restart_of_a_worker_does_not_spoil_the_windows() -> None:
    counts = [(0.0, 0.0), (100.0, 1.0), (200.0, 2.0), (10.0, 1.0), (110.0, 1.0)]
    history = [Totals(10.0 * n, 0, 0, late, judged, 0) for n, (judged, late) in enumerate(counts)]
    assert window(history, 300.0).late == pytest.approx(3.0 / 310.0)
    assert window(history[:1], 300.0).late is None
    assert window([Totals(0, 0, 0, 0, 5, 0), Totals(1, 0, 0, 0, 5, 0)], 300.0).burn is None


def test_what_lags_is_drawn_however_many_partitions_there_are() -> None:
    many = [
        LagRow("g", f"t{n // 1000:03}", n % 1000, 0, 0.0, 0.0, Status.OK, 1.0, 0, 1, True) for n in range(20 * 1000)
    ]
    behind = LagRow("g", "zz", 0, 7, 3.0, None, Status.STOP, 1.0, 0, 1, True)
    (group,) = drawn([*many, behind])
    assert group.topics[0].topic == "zz"
    assert sum(len(topic.cells) for topic in group.topics) <= MAX_CELLS
    assert group.hidden == 20 + 1 - len(group.topics)
    assert group.worst == (behind,)
