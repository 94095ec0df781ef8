"""Fixtures every room may use: a real Kafka, topics on it, and the real logs.

| fixture | scope | is |
|---|---|---|
| `bootstrap` | session | address of a real Kafka, started once a run and process |
| `clean_kafka` | function | the same address, with no topic or group left by an earlier test |
| `new_topic` | function | `new_topic(partitions=4, **config) -> name`, removed afterwards |
| `broker` | function | the broker itself, to pause, kill and restart; whole again after the test |
| `data_dir` | session | directory of the real logs (`ATTUNE_DATA`) |

Tests that use any of the first four are marked `kafka` by themselves.
"""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.faults.table import rows
from tests.integration.broker import Broker
from tests.integration.provision import NoKafka, Source, UnusableKafka, provide
from tests.integration.slate import Slate

KAFKA_FIXTURES = frozenset({"kafka_source", "slate", "bootstrap", "clean_kafka", "new_topic", "broker"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a broker, before `-m` selects; what takes minutes goes first, so that no process waits for it."""
    for item in items:
        if KAFKA_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("kafka")
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once what was missing, not once a test; and what faults came to, also when the run had several processes."""
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(report.longrepr[2] for report in reports if isinstance(report.longrepr, tuple))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} × {reason}")
    for row in rows(terminalreporter):
        terminalreporter.write_line(row)


def on_ci() -> bool:
    """Whether a missing Kafka is a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def absent(reason: str) -> NoReturn:
    """Skip in one line here, fail on a build machine."""
    if on_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka_source() -> Iterator[Source]:
    """A Kafka of this process's own: under `-n` each process has one."""
    if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get("ATTUNE_TEST_BOOTSTRAP"):
        pytest.fail("ATTUNE_TEST_BOOTSTRAP is one broker, which tests wipe: run them without -n", pytrace=False)
    source, missing = _provided()
    if source is None:
        absent(missing)
    else:
        yield source
        source.close()


def _provided() -> tuple[Source | None, str]:
    try:
        return provide(), ""
    except NoKafka as reason:
        return None, str(reason)
    except UnusableKafka as reason:
        pytest.fail(str(reason), pytrace=False)


@pytest.fixture(scope="session")
def bootstrap(kafka_source: Source) -> str:
    """Address of a real Kafka."""
    return kafka_source.bootstrap


@pytest.fixture(scope="session")
def slate(bootstrap: str) -> Slate:
    """Makes and removes topics; knows what was there before the run and leaves that alone."""
    return Slate(bootstrap)


@pytest.fixture
def clean_kafka(slate: Slate) -> Iterator[str]:
    """Address of a Kafka without topics or groups of earlier tests, for what uses Attune's fixed names."""
    slate.wipe()
    yield slate.bootstrap
    slate.wipe()


@pytest.fixture
def new_topic(slate: Slate) -> Iterator[Callable[..., str]]:
    """Makes topics with names of their own: `new_topic(partitions=4, cleanup_policy="compact")`."""
    made: list[str] = []

    def make(partitions: int = 4, **config: str) -> str:
        name = slate.create(f"test-{uuid.uuid4().hex[:12]}", partitions, **config)
        made.append(name)
        return name

    yield make
    slate.wipe(made)


@pytest.fixture
def broker(kafka_source: Source) -> Iterator[Broker]:
    """The run's broker, to be hurt; started and resumed again afterwards."""
    if kafka_source.broker is None:
        absent("this Kafka is not ours to stop: unset ATTUNE_TEST_BOOTSTRAP and install Java and Maven")
    yield kafka_source.broker
    kafka_source.broker.resume()
    kafka_source.broker.start()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real logs. Unset is a skip; set and empty or missing is a failure, lest a broken mount pass for success."""
    given = os.environ.get("ATTUNE_DATA")
    if given is None:
        pytest.skip("real logs absent")
    found = Path(given)
    if not given or not any(found.glob("*.jsonl.gz")):
        pytest.fail(f"ATTUNE_DATA={given!r}: no replay files (*.jsonl.gz) there", pytrace=False)
    return found
