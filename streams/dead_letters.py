"""Dead letters: records that could not be used, with their original bytes and headers, and headers that say why."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from msgspec import Struct

from schemas.decode import Invalid

PREFIX: Final = "attune.error."
TOPIC: Final = "dead-letters"


class SabotagedStepError(Exception):
    """Raised on purpose, by the switch `raise` that a test of dead letters sets."""


class Failure(Struct, frozen=True):
    """Why a record is a dead letter, and where it came from."""

    topic: str
    partition: int
    offset: int
    stage: str
    kind: str
    message: str
    first_failure_ms: int
    attempt: int = 1

    def headers(self) -> list[tuple[str, bytes]]:
        """As record headers, all named `attune.error.*`."""
        values = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "stage": self.stage,
            "class": self.kind,
            "message": self.message[:1_000],
            "first_failure_ms": self.first_failure_ms,
            "attempt": self.attempt,
            "version": version("attune"),
        }
        return [(PREFIX + name, str(value).encode()) for name, value in values.items()]


def decode_failure(message: Any, invalid: Invalid, now_ms: int) -> Failure:
    """Of a record that is no valid event."""
    return _failure(message, "decode", "Invalid", f"{invalid.field}: {invalid.reason}", now_ms)


def step_failure(message: Any, error: BaseException, now_ms: int) -> Failure:
    """Of a valid event on which the step raises."""
    return _failure(message, "step", type(error).__name__, str(error), now_ms)


def _failure(message: Any, stage: str, kind: str, text: str, now_ms: int) -> Failure:
    earlier = dict(error_headers(message.headers or ()))
    return Failure(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        stage=stage,
        kind=kind,
        message=text,
        first_failure_ms=int(earlier.get("first_failure_ms", now_ms)),
        attempt=int(earlier.get("attempt", 0)) + 1,
    )


def error_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, str]]:
    """The `attune.error.*` headers of a record, without the prefix."""
    return [(name.removeprefix(PREFIX), (value or b"").decode()) for name, value in headers if name.startswith(PREFIX)]


def original_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    """The headers that the producer gave."""
    return [(name, value) for name, value in headers if not name.startswith(PREFIX)]
