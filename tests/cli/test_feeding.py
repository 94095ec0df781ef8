"""`attune produce` and `attune replay`, read back from a real Kafka."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

from schemas.partitioning import partition_of
from streams.scan import scan
from streams.settings import Settings
from tests.cli.command import attune


def row(topic: str, key: str, **value: Any) -> str:
    return json.dumps({"topic": topic, "key": key, "value": value or None})


def view(n: int, ts_ms: int = 1) -> str:
    return row("views", f"u{n % 7}", event_id=f"e{n}", user_id=f"u{n % 7}", item_id="i", ts_ms=ts_ms)


def records(settings: Settings, topic: str) -> list[tuple[int, str, bytes | None, int]]:
    return [
        (message.partition() or 0, (message.key() or b"").decode(), message.value(), message.timestamp()[1])
        for message in scan(settings, topic, range(settings.partitions))
    ]


def test_a_gzip_file_arrives_whole_on_the_partitions_of_its_keys(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl.gz"
    lines = [row("items", "i", item_id="i", title="Ünïcode"), row("items", "gone"), *(view(n) for n in range(3_000))]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    done = attune("produce", str(file), "--json", bootstrap=settings.bootstrap)
    assert done.code == 0, done.err
    assert done.json["records"] == 3_002
    assert done.json["per_topic"] == {"items": 2, "views": 3_000}
    assert done.json["rejected"] == 0
    found = records(settings, "views")
    assert len(found) == 3_000
    assert all(partition == partition_of(key.encode(), settings.partitions) for partition, key, _, _ in found)
    items = {key: value for _, key, value, _ in records(settings, "items")}
    assert items["gone"] is None
    assert json.loads(items["i"] or b"") == {"item_id": "i", "title": "Ünïcode"}


def test_malformed_lines_are_named_and_counted_and_the_rest_arrives(settings: Settings) -> None:
    lines = [view(1), "{", "", row("vies", "u1", a=1), view(2), json.dumps({"topic": "views", "key": ""})]
    done = attune("produce", "-", "--json", stdin="\n".join(lines), bootstrap=settings.bootstrap)
    assert done.code == 1
    assert done.json["records"] == 2
    assert done.json["rejected"] == 3
    assert [line.split(":")[1].strip() for line in done.err.splitlines()] == ["line 2", "line 4", "line 6"]
    assert len(records(settings, "views")) == 2


def test_limit_stops_early(settings: Settings) -> None:
    stdin = "\n".join(view(n) for n in range(10))
    assert (
        attune("produce", "-", "--limit", "4", "--json", stdin=stdin, bootstrap=settings.bootstrap).json["records"] == 4
    )


def test_a_cut_off_gzip_is_one_line(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "cut.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(view(n) for n in range(1_000)).encode())[:-200])
    done = attune("produce", str(file), bootstrap=settings.bootstrap)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "cut.jsonl.gz" in done.err


def test_replay_keeps_the_rhythm(settings: Settings) -> None:
    lines = [row("users", "u1", user_id="u1", ts_ms=5), view(1, 1_000_000), view(2, 1_060_000), view(3, 1_120_000)]
    asked_ms = time.time_ns() // 1_000_000
    done = attune("replay", "-", "--speed", "60", "--json", stdin="\n".join(lines), bootstrap=settings.bootstrap)
    assert done.code == 0, done.err
    assert done.json["records"] == 4
    appended = sorted(ts for _, _, _, ts in records(settings, "views"))
    waited_s = [(at_ms - asked_ms) / 1000 for at_ms in appended]
    assert all(waited >= due for waited, due in zip(waited_s, (0.0, 1.0, 2.0), strict=True)), waited_s
    assert waited_s[0] < waited_s[2] - 1.0, "all of them went at the end"


def test_real_logs_are_produced_unchanged(settings: Settings, data_dir: Path) -> None:
    done = attune("produce", str(data_dir / "jobs.jsonl.gz"), "--json", bootstrap=settings.bootstrap)
    assert done.json["per_topic"] == {"items": 7_047, "views": 12_370}
    with gzip.open(data_dir / "jobs.jsonl.gz") as lines:
        sent = [json.loads(line) for line in lines]
    found = {(key, value) for _, key, value, _ in records(settings, "views")}
    assert {(r["key"], json.dumps(r["value"], separators=(",", ":"))) for r in sent if r["topic"] == "views"} == {
        (key, json.dumps(json.loads(value or b""), separators=(",", ":"))) for key, value in found
    }
