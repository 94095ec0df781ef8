"""Mail that is due comes once, whatever dies meanwhile, and at an hour that the person has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.admin import create_topics
from streams.settings import read_settings
from tests.faults.cluster import Cluster
from tests.integration.mail_dues import CONFIG, trial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def cluster(clean_kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    config = tmp_path / "attune.toml"
    config.write_text(CONFIG)
    monkeypatch.setenv("ATTUNE_CONFIG", str(config))
    environ = {"ATTUNE_CLOCK": "log", "ATTUNE_SESSION_S": "6", "ATTUNE_MIN_INTERVAL_MS": "3600000"}
    settings = read_settings(
        {**environ, "ATTUNE_CONFIG": str(config), "ATTUNE_BOOTSTRAP": clean_kafka, "ATTUNE_PARTITIONS": "4"}
    )
    create_topics(settings)
    made = Cluster(settings, tmp_path, **environ)
    yield made
    made.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_each_decision_once(cluster: Cluster, seed: int) -> None:
    assert trial(cluster, seed)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(3, 11))
def test_each_decision_once_under_more_seeds(cluster: Cluster, seed: int) -> None:
    assert trial(cluster, seed)
