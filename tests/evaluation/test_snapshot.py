"""Time travel: from a snapshot, or up to a moment, everything is as in a straight replay."""

import random
from pathlib import Path

import msgspec
import pytest

from evaluation.next_item import NextItem, judge
from evaluation.replay_file import read_log
from evaluation.snapshot import Recorder
from processors.pack import Pack
from schemas.behaviour import Apply, Dismissal, Event, Impression, Save, Search, View
from tests.processors import market
from tests.processors.market import NOW_MS, job

EVENTS = 400


def given(seed: int) -> list[tuple[str, Event]]:
    rng = random.Random(seed)
    made: list[tuple[str, Event]] = []
    for n in range(EVENTS):
        user, item = f"u{rng.randrange(9)}", f"j{rng.randrange(60)}"
        common = {"event_id": f"e{n}", "user_id": user, "ts_ms": NOW_MS + n * 40_000}
        made.append(
            rng.choice(
                [
                    ("views", View(**common, item_id=item)),
                    ("views", View(**common, item_id=item, dwell_ms=900)),
                    ("saves", Save(**common, item_id=item)),
                    ("applies", Apply(**common, item_id=item)),
                    ("dismissals", Dismissal(**common, item_id=item, reason="brand")),
                    ("searches", Search(**common, query="night nurse")),
                    (
                        "impressions",
                        Impression(**common, rec_id=f"r{n}", item_ids=tuple(f"j{(n + k) % 60}" for k in range(5))),
                    ),
                ]
            )
        )
    return made


def replay(driver: Recorder, events: list[tuple[str, Event]]) -> list[object]:
    decisions: list[object] = []
    for topic, event in events:
        driver.catch_up(event.ts_ms)
        decisions.append(driver.take(topic, event.user_id.encode(), event, event.ts_ms).effects)
    return decisions


@pytest.mark.parametrize("models", ["spine", "blend"])
@pytest.mark.parametrize("cut", [1, 133, 399])
def test_what_follows_a_snapshot_is_what_follows_without_it(models: str, cut: int) -> None:
    pack: Pack = msgspec.structs.replace(market.PACK, models=models, explore=1, diversity=0.25, shown_cost=0.1)
    events = given(cut)
    straight = Recorder(pack)
    for k in range(60):
        straight.put_item(job(k))
    first = replay(straight, events[:cut])
    put_away = straight.put_away(events[cut - 1][1].ts_ms)
    then = replay(straight, events[cut:])
    again = Recorder.go_on(pack, put_away)
    assert again.put_away(events[cut - 1][1].ts_ms) == put_away
    assert replay(again, events[cut:]) == then
    assert any(first)
    end_ms = events[-1][1].ts_ms
    assert msgspec.msgpack.decode(again.put_away(end_ms)) == msgspec.msgpack.decode(straight.put_away(end_ms))


def test_a_snapshot_of_another_moment_gives_something_else() -> None:
    events = given(7)
    ends = []
    for left_out in (0, 1):
        driver = Recorder(market.PACK)
        for k in range(60):
            driver.put_item(job(k))
        replay(driver, events[left_out:])
        ends.append(driver.put_away(events[-1][1].ts_ms))
    assert ends[0] != ends[1]


def test_a_log_up_to_a_moment_is_the_log_that_ends_there(tmp_path: Path) -> None:
    events = given(3)
    lines = [f'{{"topic": "items", "key": "j{k}", "value": {msgspec.json.encode(job(k)).decode()}}}' for k in range(60)]
    told = [msgspec.json.encode({"topic": t, "key": e.user_id, "value": e}).decode() for t, e in events]
    whole, half = tmp_path / "whole.jsonl", tmp_path / "half.jsonl"
    whole.write_text("\n".join([*lines, *told]))
    half.write_text("\n".join([*lines, *told[:200]]))
    until_ms = events[199][1].ts_ms
    options = NextItem(baselines=False)
    one = judge(read_log(whole, until_ms=until_ms), market.PACK, options)
    other = judge(read_log(half), market.PACK, options)
    assert one == other
    assert one.events == 200
    assert one != judge(read_log(whole), market.PACK, options)
