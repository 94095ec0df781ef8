"""Dead letters as records one can look at, mend and send back to where they came from."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from streams.admin import BrokerError, partitions_found
from streams.dead_letters import PREFIX, TOPIC, error_headers, original_headers
from streams.feeding import DELIVERY_S
from streams.producing import make_producer
from streams.scan import scan
from streams.settings import Settings
from streams.topics import INPUTS

KEPT_ON_REPLAY: Final = ("attempt", "first_failure_ms")
"""What a letter that comes back still says of its past: `attune.error.*` headers."""

Headers = tuple[tuple[str, bytes | None], ...]


class Letter(Struct, frozen=True):
    """One dead letter. `id` is TOPIC-PARTITION-OFFSET of the record that could not be used."""

    topic: str
    partition: int
    offset: int
    stage: str
    kind: str
    message: str
    first_failure_ms: int
    attempt: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    """The producer's own."""
    place: tuple[int, int]
    """Partition and offset in `dead-letters`."""

    @property
    def id(self) -> str:
        """How commands name it.

        >>> Letter("views", 3, 7, "decode", "Invalid", "", 0, 1, None, None, (), (0, 0)).id
        'views-3-7'
        """
        return f"{self.topic}-{self.partition}-{self.offset}"

    def value_text(self) -> str:
        """The original bytes for people: text where it is text, else a Python literal."""
        if self.value is None:
            return "null"
        try:
            return self.value.decode()
        except UnicodeDecodeError:
            return repr(self.value)


def letters(settings: Settings, topic: str | None = None, reason: str | None = None) -> Iterator[Letter]:
    """All dead letters, those of one original topic, those whose reason contains a text (whatever its case).

    Raises BrokerError where Kafka does not answer or has no such topic.
    """
    count = partitions_found(settings).get(TOPIC)
    if count is None:
        raise BrokerError(f"missing topic: {TOPIC} (make it with: attune topics create)")
    wanted = reason.casefold() if reason else None
    for message in scan(settings, TOPIC, range(count)):
        letter = read_letter(message)
        if topic is not None and letter.topic != topic:
            continue
        if wanted is not None and wanted not in f"{letter.stage} {letter.kind} {letter.message}".casefold():
            continue
        yield letter


def read_letter(message: Message) -> Letter:
    """A record of `dead-letters`; headers that are missing or odd leave their field empty."""
    given: Any = message.headers() or ()
    why = dict(error_headers(given))
    return Letter(
        topic=why.get("topic", ""),
        partition=_number(why.get("partition")),
        offset=_number(why.get("offset")),
        stage=why.get("stage", ""),
        kind=why.get("class", ""),
        message=why.get("message", ""),
        first_failure_ms=_number(why.get("first_failure_ms")),
        attempt=_number(why.get("attempt")),
        key=message.key(),
        value=message.value(),
        headers=tuple(original_headers(given)),
        place=(message.partition() or 0, message.offset() or 0),
    )


def patched(value: bytes | None, changes: Iterable[tuple[str, Any]]) -> bytes:
    """The JSON object with fields set; a dot goes into an inner object.

    Raises ValueError where the value is no JSON object.

    >>> patched(b'{"a": 1}', [("b.c", 2)])
    b'{"a":1,"b":{"c":2}}'
    """
    try:
        decoded: Any = msgspec.json.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"the original is no JSON ({error}); mend it with --edit-file") from None
    if not isinstance(decoded, dict):
        raise ValueError("the original is no JSON object; mend it with --edit-file")  # noqa: TRY004 - a bad value, not a bug
    for path, new in changes:
        *parents, last = path.split(".")
        inner = decoded
        for name in parents:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{path}: {name} is no object")  # noqa: TRY004
        inner[last] = new
    return msgspec.json.encode(decoded)


def send_back(settings: Settings, mended: Iterable[tuple[Letter, bytes | None]]) -> int:
    """Produce letters to their original topics: original key and headers, what is kept of the past, the value given.

    Raises BrokerError where one cannot be delivered.
    """
    producer = make_producer(settings, **{"message.timeout.ms": int(DELIVERY_S * 1000), "log_level": 0})
    known = frozenset(topic.name for topic in INPUTS)
    failed: list[Any] = []
    sent = 0

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(error)

    for letter, value in mended:
        if letter.topic not in known:
            raise BrokerError(f"{letter.id}: {letter.topic!r} is no input topic")
        headers: list[tuple[str, str | bytes | None]] = [*letter.headers, *_past(letter)]
        while True:
            try:
                producer.produce(letter.topic, key=letter.key, value=value, headers=headers, on_delivery=delivered)
            except BufferError:
                producer.poll(0.05)
            else:
                break
        sent += 1
    while producer.flush(0.5) and not failed:
        pass
    if failed:
        raise BrokerError(f"{len(failed)} of {sent} letters were not delivered: {failed[0].str()}")
    return sent


def _past(letter: Letter) -> Headers:
    kept = {"attempt": letter.attempt, "first_failure_ms": letter.first_failure_ms}
    return tuple((PREFIX + name, str(kept[name]).encode()) for name in KEPT_ON_REPLAY)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
