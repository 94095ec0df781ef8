"""What `attune challenger` reads of Kafka, and the rows it writes."""

from collections.abc import Iterator
from typing import Final

import msgspec
from confluent_kafka import Producer

from processors.challenger_rows import (
    MODEL,
    STATE,
    ChallengerModel,
    ChallengerState,
    decode_model,
    decode_state,
    encode_row,
)
from schemas.learning import Example, Lesson
from streams.admin import BrokerError
from streams.producing import make_producer
from streams.scan import scan
from streams.settings import Settings

DELIVERY_S: Final = 30.0
_decode = msgspec.msgpack.Decoder(Lesson).decode


def examples(settings: Settings) -> Iterator[tuple[int, Example]]:
    """Every example that `learning` still holds, in order, with its record's offset; each once, as the learner does."""
    taken: dict[tuple[str, int], int] = {}
    for message in scan(settings, "learning", [0]):
        try:
            lesson = _decode(message.value() or b"")
        except msgspec.MsgspecError:
            continue  # the learner has buried it
        for example in lesson.examples:
            if example.offset > taken.get((lesson.source, example.partition), -1):
                taken[lesson.source, example.partition] = example.offset
                yield message.offset() or 0, example


def challenger_rows(settings: Settings) -> tuple[ChallengerModel | None, ChallengerState | None]:
    """The newest fitted model and the newest state, where there are any."""
    newest: dict[bytes, bytes | None] = {}
    for message in scan(settings, "model", [0]):
        key = message.key() or b""
        if key in {MODEL, STATE}:
            newest[key] = message.value()
    model, state = newest.get(MODEL), newest.get(STATE)
    return decode_model(model) if model else None, decode_state(state) if state else None


def roll_back(settings: Settings, state: ChallengerState, now_ms: int) -> ChallengerState:
    """Let the blend rank again, at once and without reading the log: the new state bears no figures."""
    changed = ChallengerState(state.offset, "rollback", state.model, serves=False, at_ms=now_ms)
    publish(settings, {STATE: changed})
    return changed


def publish(settings: Settings, rows: dict[bytes, ChallengerModel | ChallengerState]) -> None:
    """Write rows of `model`, and wait until they are there. Raises BrokerError where they cannot be written."""
    producer: Producer = make_producer(settings)
    for key, row in rows.items():
        producer.produce("model", encode_row(row), key, partition=0)
    if producer.flush(DELIVERY_S):
        raise BrokerError(f"model cannot be written: {settings.bootstrap} does not answer")
