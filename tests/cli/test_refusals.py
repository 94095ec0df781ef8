"""What cannot work says so in one line, with the right exit code, soon, and without a traceback."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.cli.command import Finished, attune
from tests.integration.broker import free_ports

pytestmark = pytest.mark.slow

LIMIT_S = 10.0


def assert_refused(done: Finished, code: int, *words: str) -> None:
    assert "Traceback" not in done.out + done.err
    assert done.code == code, done.err
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    assert done.seconds < LIMIT_S


@pytest.fixture(scope="module")
def nowhere() -> str:
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bootstrp": "x"}, ("ATTUNE_BOOTSTRP", "no such setting")),
        ({"partitions": "0"}, ("partitions", ">= 1", "'0'")),
        ({"redis": "http://127.0.0.1"}, ("redis", "http://127.0.0.1")),
        ({"domain": "cars"}, ("domain", "cars")),
        ({"config": "/nowhere/attune.toml"}, ("/nowhere/attune.toml",)),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, str], words: tuple[str, ...]) -> None:
    assert_refused(attune("topics", "describe", **settings), 2, *words)


def test_an_unknown_key_of_the_file_is_named(tmp_path: Path) -> None:
    own = tmp_path / "attune.toml"
    own.write_text('bootstrap = "x"\ncolour = "red"\n')
    assert_refused(attune("topics", "describe", config=str(own)), 2, "colour")


COMMANDS = [("produce", "-"), ("profile", "u1"), ("dead-letters", "list"), ("erase", "u1", "--yes"), ("worker",)]
"""One for each way of reaching Kafka."""


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_missing_broker_is_named(arguments: tuple[str, ...], nowhere: str) -> None:
    assert_refused(attune(*arguments, bootstrap=nowhere), 1, nowhere)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_missing_topics_are_named(arguments: tuple[str, ...], clean_kafka: str) -> None:
    assert_refused(attune(*arguments, bootstrap=clean_kafka), 1, "missing topic", "attune topics create")


@pytest.mark.parametrize("arguments", [("produce", "nofile.jsonl"), ("replay", "nofile.jsonl")])
def test_a_missing_file_is_named(arguments: tuple[str, ...], nowhere: str) -> None:
    assert_refused(attune(*arguments, bootstrap=nowhere), 1, "nofile.jsonl", "No such file")


def test_a_missing_redis_is_said(nowhere: str) -> None:
    assert_refused(attune("recommend", "u1", redis=f"redis://{nowhere}/0"), 1, "Redis", nowhere)


@pytest.mark.parametrize(
    "arguments",
    [
        ("worker", "--role", "cook"),
        ("worker", "--count", "0"),
        ("produce",),
        ("produce", "x", "--limit", "0"),
        ("profile",),
        ("dead-letters", "replay"),
        ("dead-letters", "replay", "views-0-0", "--patch", "item_id"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    done = attune(*arguments)
    assert "Traceback" not in done.err
    assert done.code == 2
    assert done.seconds < LIMIT_S


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_port_in_use_is_named(taken_port: int, settings: Settings) -> None:
    done = attune(
        "worker", "--port", str(taken_port), bootstrap=settings.bootstrap, partitions=str(settings.partitions)
    )
    assert_refused(done, 1, str(taken_port))


def test_help_shows_examples() -> None:
    done = attune("produce", "--help")
    assert done.code == 0
    assert "attune produce jobs.jsonl.gz" in done.out
