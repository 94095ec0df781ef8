"""New items find the people of this worker who want to hear of them at once, a slice of time after another."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from processors.campaigns.waiting import Waiting
from processors.effects import Effect
from processors.mailing import mail_at_once
from processors.profile import Profile, Stated, skim
from processors.replica import Replica
from processors.ways import Ways
from schemas.behaviour import Erasure, Preference
from schemas.catalogue import User
from schemas.decode import Retired
from schemas.partitioning import partition_of
from streams.clock import boottime_s
from streams.writer import Writer

_stated: Final = msgspec.msgpack.Decoder(dict[str, Stated]).decode
CarryOut = Callable[[bytes, int, Effect], None]
"""Carries out an effect for a key on its partition."""
OF_PEOPLE: Final = (User, Preference, Erasure, Retired)
"""Events that may change who waits for what."""


class Alerts:
    """Who waits, and what has arrived for whom. `look` returns the effects for one person and one item."""

    def __init__(self, replica: Replica, partitions: int) -> None:
        self._replica, self._partitions = replica, partitions
        self.waiting = Waiting()
        self._queue: deque[tuple[bytes, str]] = deque()

    def recovered(self, rows: Mapping[bytes, bytes]) -> None:
        """People of the partitions that are this worker's now. What arrived before is left to planned mails."""
        self.waiting.clear()
        self._queue.clear()
        self._replica.arrived.clear()
        for key, row in rows.items():
            if b"instant" in row:
                self.waiting.put(key, _stated(skim(row).stated))

    def heard(self, key: bytes, event: Any, profile: Profile) -> None:
        """An event of a person was applied."""
        if isinstance(event, OF_PEOPLE):
            self.waiting.put(key, profile.stated)

    def run(self, writer: Writer, now_ms: int, ways: Ways, until_s: float, carry_out: CarryOut) -> None:
        """Look at whom arrivals concern until the time is up; what is left waits for the next call."""
        arrived = self._replica.arrived
        while arrived and len(self.waiting):
            item = self._replica.item(item_id := arrived.popleft())
            if item is not None:
                self._queue.extend((key, item_id) for key in self.waiting.match(item))
        arrived.clear()
        while self._queue and boottime_s() < until_s:
            key, item_id = self._queue.popleft()
            profile = writer.profile(key)
            if profile is None:
                continue
            effects = mail_at_once(profile, key.decode(), item_id, now_ms, self._replica, ways)
            partition = partition_of(key, self._partitions)
            if effects:
                writer.dirty[key] = partition
            for effect in effects:
                carry_out(key, partition, effect)
