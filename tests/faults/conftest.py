"""A cluster on fresh topics for each test, and a table of what was found."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.admin import create_topics
from streams.settings import Settings, read_settings
from tests.faults.cluster import Cluster

PARTITIONS = 4
FIGURE = "figure"


@pytest.fixture
def make_cluster(clean_kafka: str, tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """`make_cluster(**environ)`: topics, no process yet. Lists are due at every event unless told otherwise."""
    made: list[Cluster] = []

    def make(bootstrap: str = clean_kafka, **environ: str) -> Cluster:
        environ = {"ATTUNE_MIN_INTERVAL_MS": "0", "ATTUNE_CLOCK": "log", "ATTUNE_SESSION_S": "6", **environ}
        own = {"ATTUNE_BOOTSTRAP": bootstrap, "ATTUNE_PARTITIONS": str(PARTITIONS)}
        settings: Settings = read_settings({**own, **environ})
        create_topics(settings)
        made.append(Cluster(settings, tmp_path, **environ))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """`figure("93 records healed")`: what a test measured, printed in the table at the end of the run."""
    return lambda text: record_property(FIGURE, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Every fault of this run as a row of docs/reliability.md."""
    rows = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if "tests/faults/" in report.nodeid and report.when == "call":
                figures = "; ".join(str(value) for name, value in report.user_properties if name == FIGURE)
                rows.append(f"| {report.nodeid.split('::')[-1]} | {outcome} | {report.duration:.0f} s | {figures} |")
    for row in rows:
        terminalreporter.write_line(row)
