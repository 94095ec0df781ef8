"""A cluster on fresh topics for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.admin import create_topics
from streams.settings import Settings, read_settings
from tests.faults.cluster import Cluster

PARTITIONS = 4


@pytest.fixture
def make_cluster(clean_kafka: str, tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """`make_cluster(**environ)`: topics, no process yet. Lists are due at every event unless told otherwise."""
    made: list[Cluster] = []

    def make(**environ: str) -> Cluster:
        environ = {"ATTUNE_MIN_INTERVAL_MS": "0", "ATTUNE_CLOCK": "log", **environ}
        own = {"ATTUNE_BOOTSTRAP": clean_kafka, "ATTUNE_PARTITIONS": str(PARTITIONS)}
        settings: Settings = read_settings({**own, **environ})
        create_topics(settings)
        made.append(Cluster(settings, tmp_path, **environ))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()
