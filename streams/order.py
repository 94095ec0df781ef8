"""Every input partition is accepted without a gap, from the committed offset on.

Around rebalances and recovery Faust loses messages: it skips what it dequeues while its flow control is off, and does
not rewind a kept partition that has no commit yet. So each offset must follow the one before; where one is missing we
seek back, again and again, because a batch that is being handed over moves Faust's read offset past a seek.

Where everything that waited was skipped, no later message shows the gap. So the broker is asked about partitions of
which nothing came since they were assigned: after two seconds, then ever less often.

The asking is done beside the event loop and never waited for there: many partitions may be missing at once, and while
they are, what did come must still be flushed.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from streams.clock import boottime_s
from streams.failstop import REFUSED_EXIT, stop_process
from streams.log_reader import PROBE_S, READ_S, LogReader, Partition
from streams.settings import Settings

SEEK_AGAIN_S: Final = 0.7
SILENCE_S: Final = 2.0


class Order:
    """Tells which messages of a Faust app follow on what was accepted before. All methods run in the event loop."""

    def __init__(self, app: Any, settings: Settings, group: str, topics: frozenset[str]) -> None:
        self.app = app
        self.topics = topics
        self.enforced = "order" not in settings.sabotage
        self.next: dict[Partition, int] = {}
        self.missing: dict[Any, float] = {}
        """Faust's TP -> when it was last sought back, in boot time."""
        self.is_assigned = False
        """Whether the partitions of now are known; a spare worker has none."""
        self.gaps = 0
        self._first: dict[Any, int] = {}
        """Faust's TP -> the offset that it was assigned from."""
        self._silence_s, self._look_s = SILENCE_S, 0.0
        self._known: tuple[Partition, int, list[int]] = (("", -1), 0, [0])
        self._log = LogReader(settings, group)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="order")
        self._mending: asyncio.Task[None] | None = None

    async def assigned(self, partitions: Iterable[Any], applied: Mapping[Partition, int] | None = None) -> None:
        """Start over from the committed offsets of the assignment.

        `applied` names the highest offset that recovered state covers of each partition: one beyond the partition's end
        means that the topic is not the one it was, and then every new event would look applied. That stops the process.
        """
        tps = [tp for tp in partitions if tp.topic in self.topics]
        self.missing, self._first = {}, {}
        self.next = await self._ask(self._committed, [(tp.topic, tp.partition) for tp in tps], applied or {})
        self._first = {tp: self.next[tp.topic, tp.partition] for tp in tps}
        self._silence_s, self._look_s = SILENCE_S, boottime_s() + SILENCE_S
        self.is_assigned = True

    def released(self) -> None:
        """Accept nothing until the next assignment."""
        self.next, self.is_assigned = {}, False

    async def accepts(self, message: Any) -> bool:
        """Whether the message is the next of its partition. A bool at once in all but the rare case of a gap."""
        key, offset = (message.topic, message.partition), message.offset
        expected = self.next.get(key)
        if expected is None or offset < expected:
            return not self.enforced
        if offset > expected and self.enforced:
            if message.tp in self.missing:
                return False
            following = await self._ask(self._following, key, expected)
            if self.next.get(key) != expected:
                return False  # assigned anew meanwhile
            if following < offset:
                self.gaps += 1
                self.missing[message.tp] = 0.0
                return False
        self.next[key] = offset + 1
        if self.missing:
            self.missing.pop(message.tp, None)
        return True

    def retry(self) -> None:
        """Have what is missing sought back, and what is silent looked at, without waiting for it."""
        if self._mending is not None:
            if not self._mending.done():
                return
            mended, self._mending = self._mending, None
            mended.result()
        now_s = boottime_s()
        if self.enforced and self.next and now_s > self._look_s and not self.app.rebalancing:
            self._silence_s *= 2.0
            self._look_s = now_s + self._silence_s
            self._mending = asyncio.create_task(self._look())
        elif due := [tp for tp, since_s in self.missing.items() if now_s - since_s > SEEK_AGAIN_S]:
            self._mending = asyncio.create_task(self._seek_back(due))

    async def _seek_back(self, due: list[Any]) -> None:
        """Seek to what is missing, if the broker still has it: compaction may have taken it meanwhile."""
        wanted = {key: self.next[key] for tp in due if (key := (tp.topic, tp.partition)) in self.next}
        found = await self._ask(self._log.offsets_from, wanted, PROBE_S)
        for tp in due:
            key = (tp.topic, tp.partition)
            unchanged = tp in self.missing and self.next.get(key) == wanted.get(key)
            if unchanged and key in found and not self.app.rebalancing and tp in self.app.consumer.assignment():
                self.missing[tp] = boottime_s()
                self.next[key] = found[key][0]
                await self.app.consumer.seek(tp, found[key][0])

    async def _look(self) -> None:
        """Find partitions with records of which none came, although nothing keeps them from coming."""
        silent = {tp: first for tp, first in self._first.items() if self._is_silent(tp, first)}
        if not silent:
            return
        places = {(tp.topic, tp.partition): first for tp, first in silent.items()}
        waiting = await self._ask(self._log.offsets_from, places, PROBE_S)
        for tp, first in silent.items():
            if (tp.topic, tp.partition) in waiting and self._first.get(tp) == first and self._is_silent(tp, first):
                self.gaps += 1
                self.missing[tp] = 0.0

    def _is_silent(self, tp: Any, first: int) -> bool:
        return self.next.get((tp.topic, tp.partition)) == first and tp not in self.missing

    async def _ask(self, question: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, *arguments)

    def _committed(self, wanted: list[Partition], applied: Mapping[Partition, int]) -> dict[Partition, int]:
        found: dict[Partition, int] = {}
        for key, (committed, low, high) in self._log.starts(wanted).items():
            covered = max(committed, applied.get(key, -1) + 1)
            if covered > high:
                stop_process(
                    f"{key[0]}-{key[1]} ends at {high}, but {covered} of it was applied: was the topic"
                    " re-created? Events in it would look applied (docs/runbook: a new state epoch)",
                    REFUSED_EXIT,
                )
            found[key] = max(committed, low)
        return found

    def _following(self, key: Partition, expected: int) -> int:
        """The offset that the broker really gives at or after `expected`: compaction and transactions leave gaps.

        A compacted topic has many of them, so one read answers for the next thousand records.
        """
        known_key, known_from, offsets = self._known
        if key == known_key and known_from <= expected and offsets[-1] >= expected:
            return offsets[bisect_left(offsets, expected)]
        offsets = self._log.offsets_from({key: expected}, READ_S).get(key, [])
        if not offsets:
            stop_process(f"cannot read {key[0]}-{key[1]} at {expected}: nothing came in {READ_S:.0f} s")
        self._known = (key, expected, offsets)
        return offsets[0]
