"""`attune dead-letters` on letters written here, read back from the topics they return to."""

import json
from pathlib import Path

import pytest
from confluent_kafka import Message

from streams.dead_letters import TOPIC, Failure
from streams.producing import make_producer
from streams.scan import scan
from streams.settings import Settings
from tests.cli.command import attune

BAD = b'{"event_id":"e1","user_id":"u1","item_id":"","ts_ms":7}'


def bury(settings: Settings, *letters: tuple[Failure, bytes | None]) -> None:
    producer = make_producer(settings)
    for failure, value in letters:
        producer.produce(TOPIC, key=b"u1", value=value, headers=[("trace", b"t1"), *failure.headers()])
    assert producer.flush(20) == 0


def failure(topic: str, offset: int, message: str = "$.item_id: too short", attempt: int = 1) -> Failure:
    return Failure(topic, 0, offset, "decode", "Invalid", message, 1_000 + offset, attempt)


def returned(settings: Settings, topic: str = "views") -> list[Message]:
    return list(scan(settings, topic, range(settings.partitions)))


@pytest.fixture
def address(settings: Settings) -> str:
    bury(
        settings,
        (failure("views", 3), BAD),
        (failure("views", 4, "$: not JSON", attempt=2), b"\xff{"),
        (failure("saves", 5), BAD),
        (failure("views", 6, "$: null value"), None),
    )
    return settings.bootstrap


def test_list_filters_and_counts(address: str) -> None:
    listed = attune("dead-letters", "list", "--json", bootstrap=address).json
    assert [row["id"] for row in listed] == ["views-0-6", "saves-0-5", "views-0-4", "views-0-3"]
    assert listed[2]["attempt"] == 2
    views = attune("dead-letters", "list", "--json", "--topic", "views", "--reason", "ITEM_ID", bootstrap=address).json
    assert [row["id"] for row in views] == ["views-0-3"]
    assert len(attune("dead-letters", "list", "--json", "--limit", "2", bootstrap=address).json) == 2
    shown = attune("dead-letters", "list", bootstrap=address)
    assert "4 dead letters" in shown.out
    assert "$.item_id: too short" in shown.out


def test_show_has_the_original_bytes_and_headers(address: str) -> None:
    shown = attune("dead-letters", "show", "views-0-3", bootstrap=address)
    assert BAD.decode() in shown.out
    assert "trace: t1" in shown.out
    odd = attune("dead-letters", "show", "views-0-4", "--json", bootstrap=address).json
    assert odd["value"] == r"b'\xff{'"
    assert odd["headers"] == {"trace": "t1"}
    missing = attune("dead-letters", "show", "views-9-9", bootstrap=address)
    assert missing.code == 1
    assert missing.err.startswith("error: no dead letter views-9-9")


def test_replay_returns_the_original_with_its_past(settings: Settings, address: str) -> None:
    done = attune("dead-letters", "replay", "views-0-4", "--yes", bootstrap=address)
    assert done.code == 0, done.err
    (back,) = returned(settings)
    assert back.key() == b"u1"
    assert back.value() == b"\xff{"
    headers = dict(back.headers() or [])  # type: ignore[arg-type]
    assert headers == {"trace": b"t1", "attune.error.attempt": b"2", "attune.error.first_failure_ms": b"1004"}


def test_replay_mends_fields(settings: Settings, address: str) -> None:
    patch = ("--patch", 'item_id="i7"', "--patch", 'origin.surface="email"')
    done = attune("dead-letters", "replay", "views-0-3", *patch, "--yes", "--json", bootstrap=address)
    assert done.json == {"sent": 1, "ids": ["views-0-3"]}
    (back,) = returned(settings)
    assert json.loads(back.value() or b"") == {**json.loads(BAD), "item_id": "i7", "origin": {"surface": "email"}}
    unmendable = attune("dead-letters", "replay", "views-0-4", *patch, "--yes", bootstrap=address)
    assert unmendable.code == 1
    assert "--edit-file" in unmendable.err


def test_replay_of_an_edited_value_and_of_all(settings: Settings, address: str, tmp_path: Path) -> None:
    edited = tmp_path / "mended.json"
    edited.write_bytes(b'{"mended": true}')
    assert attune("dead-letters", "replay", "views-0-4", "--edit-file", str(edited), "-y", bootstrap=address).code == 0
    assert [message.value() for message in returned(settings)] == [b'{"mended": true}']
    assert attune("dead-letters", "replay", "--all", "--topic", "saves", "-y", bootstrap=address).code == 0
    assert [message.value() for message in returned(settings, "saves")] == [BAD]


def test_replay_asks_first(settings: Settings, address: str) -> None:
    done = attune("dead-letters", "replay", "--all", stdin="n\n", bootstrap=address)
    assert done.code == 1
    assert "Send 4 back" in done.err
    assert returned(settings) == []
