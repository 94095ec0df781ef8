"""An experiment's status from a log: decisions that bear an arm, and what people did, from files or from Kafka."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, cast

import msgspec
from msgspec import Raw, Struct

from evaluation.trial import Exposure, Metric, Status, Trial
from processors.arms import arm_in
from processors.experiment import Experiment
from schemas.behaviour import Event
from schemas.decode import SCHEMAS, decode

DECISIONS: Final = {"recommendations": "ts_ms", "send-times": "ts_ms", "digests": "due_ms"}
"""Topics of decisions, and the field that says when."""
OUTCOMES: Final = ("applies", "clicks", "unsubscribes")
"""Topics from which an observation is made up."""
_GZIP_MAGIC: Final = b"\x1f\x8b"

Raws = Iterable[tuple[str, bytes, bytes]]
"""Topic, key and value of records, in any order."""


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


def status_of(experiment: Experiment, records: Raws, metric: Metric, now_ms: int | None = None) -> Status:
    """The status at `now_ms`, by default the time of the last record.

    Records that are no JSON, or that the schemas refuse, are left out, as the workers leave them out.
    """
    found = [dated for record in records if (dated := _fact(experiment, *record)) is not None]
    found.sort(key=lambda dated: dated[0])
    trial = Trial(experiment, metric)
    for _, fact in found:
        if isinstance(fact, Exposure):
            trial.expose(fact)
        else:
            trial.take(fact)
    last_ms = found[-1][0] if found else experiment.started_ms
    return trial.status(last_ms if now_ms is None else now_ms)


def records_of(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """The records of a file in replay form, gzip or not; lines of another form are left out."""
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        for line in cast("IO[bytes]", gzip.GzipFile(fileobj=file) if start == _GZIP_MAGIC else file):
            try:
                parsed = _line(line)
            except msgspec.MsgspecError:
                continue
            yield parsed.topic, parsed.key.encode(), bytes(parsed.value)


def _fact(experiment: Experiment, topic: str, key: bytes, raw: bytes) -> tuple[int, Exposure | Event] | None:
    if topic in DECISIONS:
        try:
            decision = _decision(raw)
        except msgspec.MsgspecError:  # `null` among them: somebody was forgotten
            return None
        arm = None if decision.arm is None else arm_in(decision.arm, experiment)
        at_ms = getattr(decision, DECISIONS[topic])
        return None if arm is None else (at_ms, Exposure(decision.user_id, arm, at_ms))
    if topic not in SCHEMAS:
        return None
    event = decode(topic, key, raw)
    return (event.ts_ms, event) if isinstance(event, Event) else None
