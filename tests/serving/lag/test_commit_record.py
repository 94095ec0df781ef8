"""Records of `__consumer_offsets`, also those that are no commits."""

import struct

import pytest

from serving.lag.commit_record import decode_commit, partition_of_group
from serving.lag.reading import LoggedCommit, Partition

KEY = struct.pack(">hh3sh2si", 1, 3, b"grp", 2, b"tt", 4)
COMMIT = LoggedCommit("grp", Partition("tt", 4), 77, 123_456)


@pytest.mark.parametrize(
    "value",
    [
        struct.pack(">hqh2sq", 0, 77, 2, b"md", 123_456),
        struct.pack(">hqh2sqq", 1, 77, 2, b"md", 123_456, 999),
        struct.pack(">hqh2sq", 2, 77, 2, b"md", 123_456),
        struct.pack(">hqih2sq", 3, 77, -1, 2, b"md", 123_456),
        struct.pack(">hqib2sqb", 4, 77, -1, 3, b"md", 123_456, 0),
    ],
    ids=["v0", "v1", "v2", "v3", "v4"],
)
def test_versions(value: bytes) -> None:
    assert decode_commit(KEY, value) == COMMIT


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b""),
        (KEY, None),
        (b"", b""),
        (KEY, b"\x00\x03\x00"),
        (KEY, struct.pack(">hq", 9, 1)),
        (struct.pack(">hh3s", 2, 3, b"grp"), b"\x00\x03"),
        (KEY[:-2], b"\x00\x03"),
    ],
)
def test_what_is_no_commit(key: bytes | None, value: bytes | None) -> None:
    assert decode_commit(key, value) is None


def test_partitions_as_java_computes_them() -> None:
    """Reference values: Java's "…".hashCode() with the sign handled as Kafka's Utils.abs does."""
    assert partition_of_group("polygenelubricants", 50) == 0  # hashCode is Integer.MIN_VALUE
    assert partition_of_group("a", 50) == 97 % 50
