"""What commands work on: topics on a real Kafka, a real Redis."""

from collections.abc import Iterator

import pytest

from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.settings import Settings, read_settings

PARTITIONS = 4


@pytest.fixture
def store() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as started:
        yield started


@pytest.fixture
def settings(clean_kafka: str) -> Settings:
    made = read_settings({}, bootstrap=clean_kafka, partitions=PARTITIONS, erasure_key="secret")
    create_topics(made)
    return made
