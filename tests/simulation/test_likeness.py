import gzip
import json
from pathlib import Path

import pytest

from simulation.likeness import Look, from_log, from_world, hours, statistics, thinned

MINUTE = 60_000


def look(minute: int, person: str, item: str, hour: int = 9) -> Look:
    return Look(minute * MINUTE, person, item, hour)


def test_statistics_of_a_log_counted_by_hand() -> None:
    found = statistics([look(0, "a", "x"), look(2, "a", "x"), look(122, "a", "y"), look(5, "b", "x", 10)])
    assert found["repeat_share"] == 0.25
    assert found["gap_in_session_s"] == 120.0
    assert found["gap_between_sessions_h"] == 2.0
    assert found["sessions_per_person"] == 1.5
    assert found["events_per_session"] == pytest.approx(4 / 3)
    assert found["top_tenth"] == 0.75
    assert found["events_per_item"] == 2.0


def test_hours_are_shares() -> None:
    assert hours([look(0, "a", "x", 9), look(1, "a", "x", 10)])[9:11] == [0.5, 0.5]


def test_a_log_is_read_in_its_zone_and_cut_to_its_last_days(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    rows = [{"topic": "items", "key": "x", "value": {"item_id": "x"}}]
    for day in range(10):
        value = {"user_id": "u", "item_id": "x", "ts_ms": day * 86_400_000 + 3_600_000}
        rows.append({"topic": "views", "key": "u", "value": value})
    path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in rows).encode()))
    found = from_log(path, "views", -6, days=3)
    assert len(found) == 3
    assert {x.day_hour for x in found} == {19}


@pytest.mark.slow
def test_thinning_reaches_the_density_asked_for() -> None:
    looks = from_world("jobs", "views", by_session=False, users=150)
    some = thinned(looks, 2.0)
    assert 0 < len(some) < len(looks)
    assert len(some) / len({x.item for x in some}) == pytest.approx(2.0, rel=0.1)
