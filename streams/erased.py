"""Who asked to be forgotten, and when: for processes that give out what is kept about people.

An erasure takes its way: a worker empties the profile, the sink the view in Redis. What is from before it must not be
given out from the moment it was accepted, by whichever process; what came after it is a new person's. So nothing is
switched on and off: each thing that is kept is compared with the erasure, by the time that it bears itself.
"""

import asyncio
import secrets
from typing import Final

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from msgspec import Struct

from processors.erasure import user_hash
from processors.profile import Profile
from schemas.behaviour import Erasure
from schemas.decode import decode
from streams.settings import Settings
from streams.tail import Tail

MOST_ERASED: Final = 100_000
QUIET: Final = {"log_level": 0}
KNOWN_S: Final = 2.0
"""The longest to wait until this process knows what Kafka has."""


class _Dated(Struct):
    """Of a decision, when it was made."""

    ts_ms: int


_date: Final = msgspec.json.Decoder(_Dated).decode


class Erased:
    """The newest erasure of each person in the log of `erasures`, under a hash that only this process can make."""

    def __init__(self, settings: Settings) -> None:
        self._asked_ms: dict[str, int] = {}
        self._settings = settings
        self._admin: AdminClient | None = None
        self._secret = secrets.token_hex(16)
        self.tail = Tail(settings, ["erasures"], self._take)

    @property
    def ready(self) -> bool:
        """Whether every erasure that was asked for before the start is known."""
        return self.tail.ready

    def note(self, user_id: str, ts_ms: int) -> None:
        """An erasure of this time (ms) was accepted."""
        hashed = user_hash(self._secret, user_id)
        self._asked_ms[hashed] = max(ts_ms, self._asked_ms.pop(hashed, ts_ms))
        if len(self._asked_ms) > MOST_ERASED:
            del self._asked_ms[next(iter(self._asked_ms))]

    async def know(self) -> None:
        """Wait until every erasure that Kafka has acknowledged is known here. Raises TimeoutError, KafkaException."""
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self._settings.bootstrap, **QUIET, **self._settings.kafka})
        latest = {TopicPartition(*place): OffsetSpec.latest() for place in self.tail.places}  # type: ignore[no-untyped-call]
        asked = self._admin.list_offsets(latest, request_timeout=KNOWN_S)
        found = await asyncio.gather(*[asyncio.wrap_future(end) for end in asked.values()])
        ends = {(tp.topic, tp.partition): end.offset for tp, end in zip(asked, found, strict=True)}
        if not self.tail.has(ends):
            await asyncio.to_thread(self.tail.wait_for, ends, KNOWN_S)

    def covers_profile(self, user_id: str, profile: Profile) -> bool:
        """Whether a profile is of before the person's erasure: no worker has emptied it yet."""
        asked_ms = self._asked(user_id)
        return asked_ms is not None and (profile.erased_ms is None or profile.erased_ms < asked_ms)

    def covers_decision(self, user_id: str, decision: bytes) -> bool:
        """Whether a list or a send time, as on Kafka, is of before the person's erasure."""
        asked_ms = self._asked(user_id)
        return asked_ms is not None and _date(decision).ts_ms <= asked_ms

    def _asked(self, user_id: str) -> int | None:
        return self._asked_ms.get(user_hash(self._secret, user_id)) if self._asked_ms else None

    def _take(self, topic: str, key: bytes, value: bytes | None, at_ms: int) -> None:
        event = decode(topic, key, value, at_ms)
        if isinstance(event, Erasure):
            self.note(event.user_id, event.ts_ms)
