"""What a process that only looks on knows: everyone's profile, receipts of erasures, and lists as they come."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from processors.dominance import supersedes
from processors.erasure import is_marker
from processors.profile import Profile, decode, decode_head
from schemas.behaviour import Event
from schemas.decisions import ErasureReceipt
from schemas.decode import decode as decode_event
from streams.erased import Erased
from streams.settings import Settings
from streams.tail import Tail
from streams.topics import PROFILES_CHANGELOG

MOST_RECEIPTS: Final = 100_000


class Profiles:
    """Everyone's newest profile, as bytes: some 300 to 2,000 a person. A flush behind the workers."""

    def __init__(self, settings: Settings, erased: Erased) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._erased = erased
        self.tail = Tail(settings, [PROFILES_CHANGELOG], self._take)

    @property
    def ready(self) -> bool:
        """Whether everyone who was there at the start is known."""
        return self.tail.ready and self._erased.ready

    def __len__(self) -> int:
        """How many people are known."""
        return len(self._rows)

    def profile(self, user_id: str) -> Profile | None:
        """A copy of one person's profile; None for a person never seen, forgotten, or about to be."""
        held = self._rows.get(user_id.encode())
        profile = None if held is None else decode(held)
        if profile is None or (profile.erased_ms is not None and not profile.totals):
            return None
        return None if not self._erased.ready or self._erased.covers_profile(user_id, profile) else profile

    def _take(self, _: str, key: bytes, value: bytes | None, __: int) -> None:
        if is_marker(key):
            return
        if value is None:
            self._rows.pop(key, None)
            return
        head, known = decode_head(value), self._rows.get(key)
        if known is not None and not supersedes(head, decode_head(known)):
            return
        self._rows[key] = value


class Receipts:
    """Receipts of erasures by the id of the request, `erasures-PARTITION-OFFSET`; they name nobody."""

    def __init__(self, settings: Settings) -> None:
        self._accepted: dict[str, ErasureReceipt] = {}
        self._complete: dict[str, int] = {}
        self.tail = Tail(settings, ["erasure-receipts"], self._take)

    def stage(self, receipt_id: str) -> tuple[str, int] | None:
        """The stage, and when it was reached (ms); None where no worker has answered yet."""
        accepted = self._accepted.get(receipt_id)
        if accepted is None:
            return None
        complete_ms = self._complete.get(accepted.user_hash, -1)
        if complete_ms >= accepted.ts_ms:
            return "complete", complete_ms
        return "accepted", accepted.ts_ms

    def _take(self, _: str, key: bytes, value: bytes | None, __: int) -> None:
        if value is None:
            return
        receipt = msgspec.json.decode(value, type=ErasureReceipt)
        if receipt.stage == "accepted":
            self._accepted[receipt.receipt_id] = receipt
            if len(self._accepted) > MOST_RECEIPTS:
                del self._accepted[next(iter(self._accepted))]
        else:
            self._complete[receipt.user_hash] = receipt.ts_ms


class News:
    """New lists as they are published, for those who wait for one person's; nobody who is too slow is waited for."""

    MOST_WAITING: Final = 16

    def __init__(self, settings: Settings, erased: Erased) -> None:
        self._waiting: dict[bytes, set[asyncio.Queue[bytes]]] = {}
        self._erased = erased
        self._loop: asyncio.AbstractEventLoop | None = None
        self.tail = Tail(settings, ["recommendations"], self._take, from_end=True)

    def subscribe(self, user_id: str) -> "asyncio.Queue[bytes]":
        """A queue that gets every new list of a person from now on; an empty value means that no more will come."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes] = asyncio.Queue(self.MOST_WAITING)
        self._waiting.setdefault(user_id.encode(), set()).add(queue)
        return queue

    def unsubscribe(self, user_id: str, queue: "asyncio.Queue[bytes]") -> None:
        """No more."""
        waiting = self._waiting.get(user_id.encode(), set())
        waiting.discard(queue)
        if not waiting:
            self._waiting.pop(user_id.encode(), None)

    def end(self) -> None:
        """Tell everyone that no more will come, so that a server can stop."""
        for key in list(self._waiting):
            self._hand_out(key, b"")

    def _take(self, _: str, key: bytes, value: bytes | None, __: int) -> None:
        if self._loop is not None and key in self._waiting:
            if value and self._erased.covers_decision(key.decode(), value):
                return
            self._loop.call_soon_threadsafe(self._hand_out, key, value or b"")

    def _hand_out(self, key: bytes, value: bytes) -> None:
        for queue in self._waiting.get(key, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(value)


class Searchers:
    """What people search and do from now on, and who asks to be forgotten: for suggestions. One thread takes it."""

    MOST_WAITING: Final = 100_000

    def __init__(self, settings: Settings) -> None:
        self._waiting: deque[Event] = deque(maxlen=self.MOST_WAITING)
        self.tail = Tail(settings, ["searches", "views", "saves", "applies", "erasures"], self._take, from_end=True)

    def taken(self) -> Iterator[Event]:
        """What has come since the last call, in the order of its coming."""
        waiting = self._waiting
        while waiting:
            yield waiting.popleft()

    def _take(self, topic: str, key: bytes, value: bytes | None, at_ms: int) -> None:
        event = decode_event(topic, key, value, at_ms)
        if isinstance(event, Event):
            self._waiting.append(event)
