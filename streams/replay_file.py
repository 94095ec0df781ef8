"""Replay files: JSON Lines, gzip allowed, `{"topic": "views", "key": "u1", "value": {...}}`, catalogue rows first."""

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Raw, Struct

from schemas.decode import COMPACTED, SCHEMAS
from schemas.fields import Id

STDIN: Final = "-"
_GZIP_MAGIC: Final = b"\x1f\x8b"


class Row(Struct, frozen=True):
    """One line. `value` stays as it was written; null retires the key of a compacted topic."""

    topic: str
    key: Id
    value: Raw

    @property
    def value_bytes(self) -> bytes | None:
        """What travels to Kafka: the value as the file has it, or None for null."""
        value = bytes(self.value)
        return None if value == b"null" else value

    @property
    def ts_ms(self) -> int | None:
        """When it happened, for events; the catalogue has no time of its own."""
        if self.topic in COMPACTED:
            return None
        try:
            return _decode_stamp(self.value).ts_ms
        except msgspec.MsgspecError:
            return None


class Malformed(Struct, frozen=True):
    """A line that is no row."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class BrokenFileError(Exception):
    """A file cannot be read to its end; the message is one line."""


class _Stamp(Struct):
    ts_ms: int | None = None


_decode_stamp: Final = msgspec.json.Decoder(_Stamp).decode
_decode_row: Final = msgspec.json.Decoder(Row).decode


def parse(line: bytes, number: int) -> Row | Malformed:
    """One line of a replay file.

    >>> parse(b'{"topic":"views","key":"u1","value":{}}', 1).topic
    'views'
    >>> print(parse(b'{"topic":"vies","key":"u1","value":{}}', 7))
    line 7: 'vies' is no input topic
    """
    try:
        row = _decode_row(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Malformed(number, str(error))
    if row.topic not in SCHEMAS:
        return Malformed(number, f"{row.topic!r} is no input topic")
    return row


class ReplayFile:
    """A file to iterate over, rows and malformed lines in order; blank lines count but yield nothing.

    `position` and `size` are bytes of the file as it lies on the disk, for progress; `size` is None for stdin.
    Raises OSError where the file cannot be opened, BrokenFileError where its gzip is cut off or damaged.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        opened: Any = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115 - closed by exit
        self._file = opened
        self.size = None if path == STDIN else Path(path).stat().st_size
        gzipped = opened.peek(2)[:2] == _GZIP_MAGIC
        self._lines: Iterable[bytes] = gzip.GzipFile(fileobj=opened) if gzipped else opened

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return int(self._file.tell()) if self.size is not None else 0

    def __iter__(self) -> Iterator[Row | Malformed]:
        number = 0
        try:
            for number, line in enumerate(self._lines, 1):
                if not line.isspace():
                    yield parse(line, number)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BrokenFileError(f"{self._path}: after line {number}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.size is not None:
            self._file.close()
