"""A cluster on fresh topics for each test, and what each measured."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.admin import create_topics
from streams.settings import Settings, read_settings
from tests.faults.cluster import Cluster
from tests.faults.table import FIGURE

PARTITIONS = 4


@pytest.fixture
def make_cluster(clean_kafka: str, tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """`make_cluster(models="spine", pack="", **environ)`: topics, no process yet. Lists are due at every event by
    default.

    The transparent blend is the default: what is hurt is the write path, and it lets several times as much through.
    """
    made: list[Cluster] = []

    def make(bootstrap: str = clean_kafka, models: str = "spine", pack: str = "", **environ: str) -> Cluster:
        config = tmp_path / f"{models}.toml"
        config.write_text(f'[packs.jobs]\nmodels = "{models}"\n{pack}')
        environ = {"ATTUNE_MIN_INTERVAL_MS": "0", "ATTUNE_CLOCK": "log", "ATTUNE_SESSION_S": "6", **environ}
        environ["ATTUNE_CONFIG"] = str(config)
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
