import itertools

import pytest

from simulation.live import LiveMarket
from tests.simulation.market_day import faults

pytestmark = pytest.mark.slow

NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module", params=[1, 2, 3])
def market(request: pytest.FixtureRequest) -> LiveMarket:
    return LiveMarket(seed=request.param, now_ms=NOW_MS)


def test_the_saver_saves_something_with_many_similar_open_jobs_elsewhere_than_their_looks(market: LiveMarket) -> None:
    rows = {r["key"]: r["value"] for r in market.catalogue()}
    saved = rows[market.item_to_save]
    assert len(market.similar_items) >= 8
    assert all(rows[i]["categories"] == saved["categories"] for i in market.similar_items)
    floor = rows[market.saver]["preferences"]["min_salary"]
    assert all(rows[i]["salary"]["max"] >= floor for i in market.similar_items)
    for look in market.first_looks(market.saver, NOW_MS):
        assert rows[look["value"]["item_id"]]["categories"][0] != saved["categories"][0]
    assert market.saver != market.bystander
    assert market.save(NOW_MS)["value"]["item_id"] == market.item_to_save


def test_records_are_valid_and_open_now(market: LiveMarket) -> None:
    rows = list(market.catalogue())
    assert len(rows) == 1_700
    story = [*market.first_looks(market.saver, NOW_MS), *market.first_looks(market.bystander, NOW_MS)]
    assert faults([*rows, *market.backlog(), *story, market.save(NOW_MS)]) == []
    assert all(r["value"]["posted_ms"] <= NOW_MS < r["value"]["expires_ms"] for r in rows if r["topic"] == "items")
    assert all(r["value"]["ts_ms"] < NOW_MS for r in market.backlog())


def test_the_feed_bears_the_callers_time_at_the_callers_pace_and_leaves_the_story_alone() -> None:
    market = LiveMarket(seed=4, now_ms=NOW_MS)
    clock, slept = [NOW_MS], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += round(seconds * 1000)

    records = list(itertools.islice(market.feed(20.0, lambda: clock[0], sleep), 2_001))
    times = [r["value"]["ts_ms"] for r in records]
    assert times == sorted(times)
    assert times[0] == NOW_MS
    assert sum(slept) == pytest.approx(100.0, abs=0.5)
    assert len({r["value"]["event_id"] for r in records}) == len(records)
    assert not {r["key"] for r in records} & {market.saver, market.bystander}
    assert faults(records) == []


def test_the_same_seed_tells_the_same_story() -> None:
    first, second = (LiveMarket(seed=5, now_ms=NOW_MS, users=80, jobs=400) for _ in range(2))
    assert (first.saver, first.bystander, first.item_to_save) == (second.saver, second.bystander, second.item_to_save)
    assert list(first.backlog()) == list(second.backlog())
