"""An experiment's status from a log: decisions that bear an arm, and what people did, in replay form."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, cast

import msgspec
from msgspec import Raw, Struct

from evaluation.trial import Exposure, Metric, Status, Trial
from processors.experiment import Experiment
from schemas.behaviour import Event
from schemas.decode import SCHEMAS, decode

DECISIONS: Final = {"recommendations": "ts_ms", "digests": "due_ms"}
"""Topics of decisions, and the field that says when."""
_GZIP_MAGIC: Final = b"\x1f\x8b"


class _Line(Struct, frozen=True):
    topic: str
    key: str
    value: Raw


class _Decision(Struct, frozen=True):
    user_id: str
    arm: str | None = None
    ts_ms: int = 0
    due_ms: int = 0


_line: Final = msgspec.json.Decoder(_Line).decode
_decision: Final = msgspec.json.Decoder(_Decision).decode


def status_of(experiment: Experiment, files: Iterable[Path], metric: Metric, now_ms: int | None = None) -> Status:
    """The status at `now_ms`, by default the time of the last record, from the records of all files in order of time.

    Lines that are no JSON in replay form, or that the schemas refuse, are left out, as the workers leave them out.
    """
    found = [record for file in files for record in _records(file)]
    found.sort(key=lambda record: record[0])
    trial = Trial(experiment, metric)
    for _, record in found:
        if isinstance(record, Exposure):
            trial.expose(record)
        else:
            trial.take(record)
    last_ms = found[-1][0] if found else experiment.started_ms
    return trial.status(last_ms if now_ms is None else now_ms)


def _records(path: Path) -> Iterator[tuple[int, Exposure | Event]]:
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        for line in cast("IO[bytes]", gzip.GzipFile(fileobj=file) if start == _GZIP_MAGIC else file):
            record = _record(line)
            if record is not None:
                yield record


def _record(line: bytes) -> tuple[int, Exposure | Event] | None:
    try:
        parsed = _line(line)
        raw = bytes(parsed.value)
        if parsed.topic in DECISIONS and raw != b"null":
            decision = _decision(raw)
            at_ms = getattr(decision, DECISIONS[parsed.topic])
            return None if decision.arm is None else (at_ms, Exposure(decision.user_id, decision.arm, at_ms))
    except msgspec.MsgspecError:
        return None
    if parsed.topic not in SCHEMAS or raw == b"null":
        return None
    event = decode(parsed.topic, parsed.key.encode(), raw)
    return (event.ts_ms, event) if isinstance(event, Event) else None
