"""Which partition a key belongs to: the rule of every producer (`murmur2_random` in librdkafka, the Java default).

Clients disagree by default (librdkafka hashes with CRC32), and then one person's events would land in two partitions.
"""

from typing import Final

PARTITIONER: Final = "murmur2_random"
"""The value of librdkafka's `partitioner` for every producer of keyed topics."""

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions`, as Kafka's Java client and murmur2_random choose it.

    >>> partition_of(b"21", 12)
    0
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Murmur2 with Kafka's seed, an unsigned 32-bit integer (org.apache.kafka.common.utils.Utils.murmur2).

    >>> murmur2(b"21")
    3321034988
    """
    h = _SEED ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
