"""Time travel: all that a driver holds at one moment as plain bytes, and the driver that goes on from there.

What a worker has in its changelogs and topics is here too: profiles, the learner's rows with their marker, the rows of
the catalogue in the order in which they came, and how far each source was read. What follows a snapshot is the same as
without the stop, to the bit.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
from msgspec import Struct

from evaluation.driver import Driver
from processors.learner import Learner
from processors.pack import Pack
from processors.profile import decode, encode
from schemas.catalogue import Item
from schemas.decisions import Recommendation

_encoder: Final = msgspec.msgpack.Encoder()


class Snapshot(Struct, frozen=True):
    """A driver without delay, between two records."""

    items: list[Item]
    """As they were told, replacements and all: text is indexed in that order."""
    profiles: dict[str, bytes]
    rows: dict[bytes, bytes]
    """Of `model`, the marker among them."""
    offsets: list[tuple[str, int, int]]
    learned: int
    published: dict[str, Recommendation]
    timers: list[list[tuple[int, bytes]]]
    log_ms: list[int]


_decoder: Final = msgspec.msgpack.Decoder(Snapshot)


class Recorder(Driver):
    """A driver that can be put away; keeps what came of the catalogue and of the models."""

    def __init__(self, pack: Pack, partitions: int = 12) -> None:
        super().__init__(pack, publishes=True, partitions=partitions)
        self._items: list[Item] = []
        self._rows: dict[bytes, bytes] = {}

    def put_item(self, item: Item) -> None:
        super().put_item(item)
        self._items.append(item)

    def _apply(self, rows: dict[bytes, bytes]) -> None:
        super()._apply(rows)
        self._rows |= rows

    def put_away(self, now_ms: int) -> bytes:
        """Everything up to now, `now_ms` being the time of the last record."""
        self.catch_up(now_ms)
        return _encoder.encode(
            Snapshot(
                items=self._items,
                profiles={key.decode(): encode(profile) for key, profile in self.profiles.items()},
                rows=self._rows,
                offsets=[(*source, offset) for source, offset in self._offsets.items()],
                learned=self._learned,
                published={key.decode(): found for key, found in self.published.items()},
                timers=self._timers,
                log_ms=self._log_ms,
            )
        )

    @classmethod
    def go_on(cls, pack: Pack, snapshot: bytes) -> Recorder:
        """The driver that was put away.

        Raises msgspec.ValidationError where the bytes are no snapshot.
        """
        held = _decoder.decode(snapshot)
        driver = cls(pack, len(held.timers))
        for item in held.items:
            driver.put_item(item)
        driver._apply(held.rows)
        driver.learner = Learner.restore(driver.pack, held.rows)
        driver.profiles = {key.encode(): decode(value) for key, value in held.profiles.items()}
        driver.published = {key.encode(): found for key, found in held.published.items()}
        driver._offsets = Counter({(topic, partition): offset for topic, partition, offset in held.offsets})
        driver._learned, driver._timers, driver._log_ms = held.learned, held.timers, held.log_ms
        return driver
