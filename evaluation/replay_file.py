"""A replay file, read whole and put into the order of time: what `attune evaluate` goes through.

A line is `{"topic": "views", "key": "u1", "value": {...}}`, gzip allowed (DESIGN §3). Lines that the workers would not
apply either are named and left out. Events take their `ts_ms`, people their row's `ts_ms` or its place in the file;
rows of the catalogue after the first event take their place in the file, those before it none (`evaluation.timeline`).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, cast

import msgspec
from msgspec import Raw, Struct

from schemas.behaviour import Event
from schemas.catalogue import Item, User
from schemas.decode import SCHEMAS, Invalid, Retired, decode

_GZIP_MAGIC: Final = b"\x1f\x8b"
_SHOW_EVERY: Final = 2_000

Fact = Event | User | Retired
Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


class Rejected(Struct, frozen=True):
    """A line that could not be used."""

    line: int
    reason: str


class Record(Struct, frozen=True, gc=False):
    """One usable line. `at_ms` is its place in time; -1 for what lies in the file before any event."""

    at_ms: int
    topic: str
    key: bytes
    value: Event | Item | User | Retired


class ReplayLog(Struct):
    """`catalogue`: the newest row of each item that stands before the first event, by id. `records`: everything else,
    in the order of time; records of one time keep the order of the file.
    """

    name: str
    catalogue: dict[str, Item]
    records: list[Record]
    events: int
    rejected: list[Rejected]

    @property
    def start_ms(self) -> int:
        """When the first event happened, 0 without one."""
        return next((record.at_ms for record in self.records if isinstance(record.value, Event)), 0)


class ReplayFileError(ValueError):
    """The file as a whole cannot be used."""


class _Line(Struct, frozen=True):
    topic: str
    key: str
    value: Raw


_parse: Final = msgspec.json.Decoder(_Line).decode


def read_log(
    path: Path, limit: int | None = None, progress: Progress | None = None, until_ms: int | None = None
) -> ReplayLog:
    """Read a replay file; with `limit` ≥ 1, its first so many events in the order of time; nothing after `until_ms`.

    Raises OSError or EOFError for a file that cannot be read to its end, ReplayFileError for one without any event.
    """
    reader = _Reader(path.name)
    size = path.stat().st_size
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), 1):
            reader.take(number, line)
            if progress is not None and not number % _SHOW_EVERY:
                progress(file.tell(), size)
    log = reader.log
    if until_ms is not None:
        log.records = [record for record in log.records if record.at_ms <= until_ms]
        log.events = sum(isinstance(record.value, Event) for record in log.records)
    if not log.events:
        first = f", the first refused: line {log.rejected[0].line}: {log.rejected[0].reason}" if log.rejected else ""
        raise ReplayFileError(f"{path}: no events{first}")
    log.records.sort(key=lambda record: record.at_ms)
    return log if limit is None else _first(log, limit)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    start = file.read(2)
    file.seek(0)
    opened = gzip.GzipFile(fileobj=file) if start == _GZIP_MAGIC else file
    yield from cast("Iterator[bytes]", opened)


class _Reader:
    def __init__(self, name: str) -> None:
        self.log = ReplayLog(name, {}, [], 0, [])
        self._latest_ms = -1

    def take(self, number: int, line: bytes) -> None:
        if line.isspace():
            return
        try:
            parsed = _parse(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.log.rejected.append(Rejected(number, str(error)))
            return
        if parsed.topic not in SCHEMAS:
            self.log.rejected.append(Rejected(number, f"{parsed.topic!r} is no input topic"))
            return
        key, raw = parsed.key.encode(), bytes(parsed.value)
        value = decode(parsed.topic, key, None if raw == b"null" else raw)
        if isinstance(value, Invalid):
            self.log.rejected.append(Rejected(number, f"{value.field}: {value.reason}"))
        else:
            self._place(parsed.topic, key, value)

    def _place(self, topic: str, key: bytes, value: Event | Item | User | Retired) -> None:
        log = self.log
        at_ms = self._latest_ms
        if isinstance(value, Event):
            log.events += 1
            at_ms = value.ts_ms
            self._latest_ms = max(self._latest_ms, at_ms)
        elif at_ms < 0 and topic == "items":
            if isinstance(value, Item):
                log.catalogue[value.item_id] = value
            else:
                log.catalogue.pop(key.decode(), None)
            return
        elif isinstance(value, User) and value.ts_ms is not None:
            at_ms = max(at_ms, value.ts_ms)
        log.records.append(Record(at_ms, topic, key, value))


def _first(log: ReplayLog, limit: int) -> ReplayLog:
    """The log up to its `limit`-th event, with whatever else stands before that."""
    events = 0
    for place, record in enumerate(log.records):
        events += isinstance(record.value, Event)
        if events > limit:
            return ReplayLog(log.name, log.catalogue, log.records[:place], limit, log.rejected)
    return log
