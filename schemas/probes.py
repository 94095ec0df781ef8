"""Probe people: one a partition, whose events travel the whole pipeline so that silence can be told from a quiet night.

They teach nothing, and their decisions stop at Kafka: no row in Redis, no mail. The prefix is reserved for them.
"""

from typing import Final

from schemas.partitioning import partition_of

PREFIX: Final = "attune-probe-"
_PREFIX: Final = PREFIX.encode()


def is_probe(key: bytes) -> bool:
    """Whether a key is a probe's.

    >>> is_probe(b"attune-probe-3"), is_probe(b"u1")
    (True, False)
    """
    return key.startswith(_PREFIX)


def probe_users(partitions: int) -> tuple[str, ...]:
    """A probe for each partition, in their order.

    >>> [partition_of(user.encode(), 4) for user in probe_users(4)]
    [0, 1, 2, 3]
    """
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        user = f"{PREFIX}{number}"
        found.setdefault(partition_of(user.encode(), partitions), user)
        number += 1
    return tuple(found[partition] for partition in range(partitions))
