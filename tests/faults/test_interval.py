"""With the pack's own interval between lists: each event that changes lists is followed by one within it."""

import itertools
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

from tests.faults.cluster import Cluster
from tests.faults.oracle import LIST_CHANGING, read
from tests.faults.settle import begin, catch_up, settle
from tests.faults.traffic import Record, Sender, events

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

DELIVERY_MS = 3_000
"""How long an event may take to be read; the interval begins with the list before."""


def of_now(records: Iterator[Record]) -> Iterator[Record]:
    """The same events, happening as they are sent."""
    for topic, key, value in records:
        yield topic, key, {**value, "ts_ms": time.time_ns() // 1_000_000}


def test_a_list_follows_each_event(make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster(ATTUNE_MIN_INTERVAL_MS="1000", ATTUNE_CLOCK="wall")
    settings = cluster.settings
    begin(cluster, 2, 501, 10, 100.0).done.wait(20)
    catch_up(cluster, 2)
    sender = Sender(settings, of_now(events(502, 8_000, people=60)), 400.0).start()
    assert sender.done.wait(120)
    verdict = settle(cluster, every_event_has_its_list=False)
    assert verdict.exact, str(verdict)

    lists: dict[str, list[int]] = defaultdict(list)
    for message in read(settings.bootstrap, "recommendations"):
        value = json.loads(message.value() or b"")
        lists[value["user_id"]].append(value["ts_ms"])
    late = 0
    for topic in LIST_CHANGING:
        for message in read(settings.bootstrap, topic):
            event = json.loads(message.value() or b"")
            after = [ts_ms - event["ts_ms"] for ts_ms in lists[event["user_id"]] if ts_ms >= event["ts_ms"]]
            late += not after or min(after) > 1_000 + DELIVERY_MS
    assert late == 0
    close = sum(b - a < 1_000 for times in lists.values() for a, b in itertools.pairwise(times))
    assert close == 0
    count = sum(map(len, lists.values()))
    figure(f"{verdict.records} events, {count} lists, never two of a person within a second")
