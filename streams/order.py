"""Every input partition is accepted without a gap, from the committed offset on.

Around rebalances Faust loses messages: it skips what it dequeues while its flow control is off, and does
not rewind a kept partition that has no commit yet. So each offset must follow the one before; where one is missing we
seek back, again and again, because a batch that is being handed over moves Faust's read offset past a seek.

Where everything that waited was skipped, no later message shows the gap. So the broker is asked about partitions of
which nothing came since it was asked last: after two seconds, then less often, at least every `LOOK_S`.

The asking is done beside the event loop and never waited for there: many partitions may be missing at once, and while
they are, what did come must still be flushed.
"""

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiokafka.errors import IllegalStateError
from confluent_kafka import KafkaException

from streams.changelog import AGAIN_S, HOPELESS, Changelog
from streams.clock import boottime_s
from streams.failstop import REFUSED_EXIT, stop_process
from streams.log_reader import PROBE_S, READ_S, LogReader, Partition
from streams.settings import Settings

SEEK_AGAIN_S: Final = 0.7
SILENCE_S: Final = 2.0
LOOK_S: Final = 16.0

Applied = Mapping[Partition, int]
"""The highest offset of each input partition that the state read back covers."""


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
        """Whether the partitions of now are known, and their state is read; a spare worker has none."""
        self._released = 0
        """Counts the times that partitions were taken away: what was begun before is of no use after."""
        self._granted = -1
        """The count at which partitions were given last."""
        self.gaps = 0
        self._seen: dict[Any, int] = {}
        """Faust's TP -> the offset that was next when it was looked at last."""
        self._silence_s, self._look_s = SILENCE_S, 0.0
        self._known: tuple[Partition, int, list[int]] = (("", -1), 0, [0])
        self._log = LogReader(settings, group)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="order")
        self._mending: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether events are taken, and no rebalance is going on."""
        return self.is_assigned and not self.app.rebalancing

    async def assigned(
        self, assignment: Iterable[Any], changelog: Changelog, recovered: Callable[[frozenset[int]], Applied]
    ) -> None:
        """Start over from the committed offsets of an assignment, with the state of its partitions read back.

        The offsets are asked for first: what an old owner still writes and commits meanwhile is then taken again, and
        known by its applied offset, where state that was read before the write would lack it for ever.

        `recovered` is told the partitions when they are read, and returns what the state covers. An offset beyond the
        end of its partition means that the topic is not the one it was, and then every new event would look applied:
        that stops the process.
        """
        released = self._released

        def holds() -> bool:
            return self._granted == self._released == released and not self.app.should_stop

        tps = [tp for tp in assignment if tp.topic in self.topics]
        partitions = frozenset(tp.partition for tp in tps)
        self.next, self.is_assigned = {}, False
        self.missing, self._seen = {}, {}
        committed = await self._answer(holds, self._log.committed, [(tp.topic, tp.partition) for tp in tps])
        if committed is None or not await changelog.recover(partitions, holds):
            return
        following = await self._answer(holds, self._starts, committed, recovered(partitions))
        if following is None or not holds():
            return
        self.next, self._seen = following, {tp: following[tp.topic, tp.partition] for tp in tps}
        self._silence_s, self._look_s = SILENCE_S, boottime_s() + SILENCE_S
        self.is_assigned = True

    def granted(self, *_: Any, **__: Any) -> None:
        """The group has given out its partitions: what is said of an assignment from now on is of this one.

        Faust tells of an assignment only when it has finished with the one before, and by then it may be taken away.
        """
        self._granted = self._released

    def released(self) -> None:
        """Accept nothing until the next assignment."""
        self.next, self.is_assigned = {}, False
        self._released += 1

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
            self._silence_s = min(2.0 * self._silence_s, LOOK_S)
            self._look_s = now_s + self._silence_s
            self._mending = asyncio.create_task(self._look())
        elif due := [tp for tp, since_s in self.missing.items() if now_s - since_s > SEEK_AGAIN_S]:
            self._mending = asyncio.create_task(self._seek_back(due))

    async def _seek_back(self, due: list[Any]) -> None:
        """Seek to what is missing, if the broker still has it: compaction may have taken it meanwhile.

        In the consumer's own thread (`seek_wait`): `Consumer.seek` takes what was fetched away under the hands of that
        thread, which ends the process with a KeyError now and then.
        """
        wanted = {key: self.next[key] for tp in due if (key := (tp.topic, tp.partition)) in self.next}
        found = await self._ask(self._log.offsets_from, wanted, PROBE_S)
        for tp in due:
            key = (tp.topic, tp.partition)
            unchanged = tp in self.missing and self.next.get(key) == wanted.get(key)
            if unchanged and key in found and not self.app.rebalancing and tp in self.app.consumer.assignment():
                self.missing[tp] = boottime_s()
                self.next[key] = found[key][0]
                with contextlib.suppress(IllegalStateError):  # taken away meanwhile
                    await self.app.consumer.seek_wait({tp: found[key][0]})

    async def _look(self) -> None:
        """Find partitions with records of which none came, although nothing keeps them from coming."""
        silent = {tp: seen for tp, seen in self._seen.items() if self._is_silent(tp, seen)}
        self._seen = {tp: self.next.get((tp.topic, tp.partition), seen) for tp, seen in self._seen.items()}
        places = {(tp.topic, tp.partition): seen for tp, seen in silent.items()}
        waiting = await self._ask(self._waiting, places)
        for tp, seen in silent.items():
            if (tp.topic, tp.partition) in waiting and self._seen.get(tp) == seen and self._is_silent(tp, seen):
                self.gaps += 1
                self.missing[tp] = 0.0

    def _is_silent(self, tp: Any, seen: int) -> bool:
        return self.next.get((tp.topic, tp.partition)) == seen and tp not in self.missing

    async def _answer(self, holds: Callable[[], bool], question: Any, *arguments: Any) -> Any:
        """Ask until the broker answers. None where the assignment ends before."""
        while holds():
            try:
                return await self._ask(question, *arguments)
            except KafkaException as error:
                if error.args[0].code() in HOPELESS:
                    raise
                await asyncio.sleep(AGAIN_S)
        return None

    async def _ask(self, question: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, *arguments)

    def _starts(self, committed: Mapping[Partition, int], applied: Applied) -> dict[Partition, int]:
        found: dict[Partition, int] = {}
        for key, (low, high) in self._log.ends(list(committed)).items():
            covered = max(committed[key], applied.get(key, -1) + 1)
            if covered > high:
                stop_process(
                    f"{key[0]}-{key[1]} ends at {high}, but {covered} of it was applied: was the topic"
                    " re-created? Events in it would look applied (docs/runbook: a new state epoch)",
                    REFUSED_EXIT,
                )
            found[key] = max(committed[key], low)
        return found

    def _waiting(self, places: Mapping[Partition, int]) -> set[Partition]:
        """Which partitions have a record at or after their place; none where the broker is away."""
        try:
            ends = self._log.ends(list(places))
        except KafkaException:
            return set()
        behind = {key: place for key, place in places.items() if place < ends[key][1]}
        return set(self._log.offsets_from(behind, PROBE_S)) if behind else set()

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
