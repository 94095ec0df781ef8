"""One person, one partition, whatever the client."""

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from schemas.partitioning import murmur2, partition_of
from streams.producing import make_producer
from streams.settings import read_settings

VECTORS = {  # org.apache.kafka.common.utils.UtilsTest.testMurmur2
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
KEYS = [f"{name}{i}".encode() for name in ("u", "jemand-ü", "someone with a longer name ") for i in range(100)]


@pytest.mark.parametrize(("key", "signed"), VECTORS.items())
def test_kafkas_own_vectors(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


@given(st.binary(max_size=40))
def test_fausts_client_hashes_alike(key: bytes) -> None:
    assert murmur2(key) == aiokafka_murmur2(key) % 2**32


@given(st.binary(max_size=40), st.integers(1, 1_000))
def test_a_partition_is_one_of_those_there_are(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_a_real_broker_gets_keys_where_we_expect_them(
    bootstrap: str, new_topic: Callable[..., str], partitions: int
) -> None:
    assert landed(bootstrap, new_topic(partitions)) == {key: partition_of(key, partitions) for key in KEYS}


def test_librdkafkas_default_would_put_them_elsewhere(bootstrap: str, new_topic: Callable[..., str]) -> None:
    """Negative control."""
    found = landed(bootstrap, new_topic(12), partitioner="consistent_random")
    assert sum(found[key] != partition_of(key, 12) for key in KEYS) > len(KEYS) // 2


def landed(bootstrap: str, topic: str, **config: str) -> dict[bytes, int]:
    """Key -> the partition that it was delivered to."""
    producer = make_producer(read_settings({}, bootstrap=bootstrap), **config)
    found: dict[bytes, int] = {}

    def delivered(error: Any, message: Any) -> None:
        assert error is None
        found[message.key()] = message.partition()

    for key in KEYS:
        producer.produce(topic, key=key, value=b"", on_delivery=delivered)
    assert producer.flush(20) == 0
    return found
