"""64-bit hashes of identifiers, the same in every process and release."""

from hashlib import blake2b


def hash64(identifier: str) -> int:
    """The first 8 bytes of BLAKE2b as a signed integer, which MessagePack keeps in 9 bytes.

    >>> hash64("e1") == hash64("e1") != hash64("e2")
    True
    """
    return int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest(), "big", signed=True)
