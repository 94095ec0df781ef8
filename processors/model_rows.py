"""The rows of the `model` topic: their keys, and the offset that each value carries.

A row's key is `kind/<id>`, its value MessagePack `[offset, …]`, where `offset` is the record of `learning` that last
changed it. The marker row closes a flush: it says up to which offset all rows before it are complete, and which
examples were taken.
"""

from typing import Final

import msgspec
from msgspec import Struct

MARKER_KEY: Final = b"marker"


class Marker(Struct, frozen=True):
    """`offset` of the last lesson learned, and source topic -> partition -> highest offset taken."""

    offset: int
    taken: dict[str, dict[int, int]]
    half_lives_d: dict[str, tuple[float, ...]] = {}
    """The settings that levels of these rows are measured in; empty in markers from before they were noted."""
    items: int = -1
    """How many items have a row; -1 in markers from before it was noted."""


class _Head(Struct, array_like=True, frozen=True):
    """The first element of any row; decoding ignores the rest."""

    offset: int


_encoder: Final = msgspec.msgpack.Encoder()
_marker_decoder: Final = msgspec.msgpack.Decoder(Marker)
_head_decoder: Final = msgspec.msgpack.Decoder(_Head)


def row_key(kind: str, identifier: str) -> bytes:
    """>>> row_key("item", "j7")
    b'item/j7'
    """
    return f"{kind}/{identifier}".encode()


def split_key(key: bytes) -> tuple[str, str]:
    """Kind and id of a row; the id may hold slashes.

    >>> split_key(b"item/a/b")
    ('item', 'a/b')
    """
    kind, _, identifier = key.decode().partition("/")
    return kind, identifier


def encode_marker(marker: Marker) -> bytes:
    """The value of a marker row."""
    return _encoder.encode(marker)


def decode_marker(value: bytes) -> Marker:
    """Raises msgspec.ValidationError where the bytes are no marker."""
    return _marker_decoder.decode(value)


def marker_offset(value: bytes) -> int:
    """The offset up to which a marker's flush is complete.

    >>> marker_offset(encode_marker(Marker(7, {"views": {0: 3}})))
    7
    """
    return _marker_decoder.decode(value).offset


def row_offset(value: bytes) -> int:
    """The offset of `learning` that last changed a row.

    >>> row_offset(msgspec.msgpack.encode([12, 1, "more"]))
    12
    """
    return _head_decoder.decode(value).offset
