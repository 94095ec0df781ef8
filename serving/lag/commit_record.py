"""The records of `__consumer_offsets`: key and value versions 0–3 of Kafka's OffsetCommitKey and OffsetCommitValue.

https://github.com/apache/kafka/tree/trunk/group-coordinator/src/main/resources/common/message
"""

import struct

from serving.lag.reading import LoggedCommit, Partition

TOPIC = "__consumer_offsets"
_COMMIT_KEY_VERSIONS = (0, 1)


def decode_commit(key: bytes | None, value: bytes | None) -> LoggedCommit | None:
    """Decode one record; None when it is no commit (group metadata, a deleted offset) or in an unknown version.

    >>> key = bytes.fromhex("0001 0001 67 0001 74 00000002")
    >>> decode_commit(key, bytes.fromhex("0003 0000000000000007 ffffffff 0000 0000000000000064"))
    LoggedCommit(group='g', at=Partition(topic='t', partition=2), offset=7, ts_ms=100)
    """
    if key is None or value is None or len(key) < 2:
        return None
    try:
        if struct.unpack_from(">h", key)[0] not in _COMMIT_KEY_VERSIONS:
            return None
        group, at = _string(key, 2)
        topic, at = _string(key, at)
        (partition,) = struct.unpack_from(">i", key, at)
        version, offset = struct.unpack_from(">hq", value)
        if version in (0, 1, 2):
            _, at = _string(value, 10)
        elif version == 3:
            _, at = _string(value, 14)
        elif version == 4:
            at = 14 + _compact_length(value, 14)
        else:
            return None
        (ts_ms,) = struct.unpack_from(">q", value, at)
    except (struct.error, UnicodeDecodeError, IndexError):
        return None
    return LoggedCommit(group, Partition(topic, partition), offset, ts_ms)


def partition_of_group(group: str, partitions: int) -> int:
    """Which partition of `__consumer_offsets` keeps a group: Java's `String.hashCode`, made positive, modulo.

    >>> partition_of_group("attune.behaviour", 50)
    36
    """
    code = 0
    units = group.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    signed = code - 0x100000000 if code >= 0x80000000 else code
    return 0 if signed == -0x80000000 else abs(signed) % partitions


def _string(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">h", data, at)
    start = at + 2
    return data[start : start + max(0, length)].decode(), start + max(0, length)


def _compact_length(data: bytes, at: int) -> int:
    """Bytes a compact string takes, its varint length (plus one) included."""
    value = shift = taken = 0
    while True:
        byte = data[at + taken]
        value |= (byte & 0x7F) << shift
        taken, shift = taken + 1, shift + 7
        if byte < 0x80:
            return taken + max(0, value - 1)
