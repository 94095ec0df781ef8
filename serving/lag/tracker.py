"""The collector's memory and judgement, without any I/O: readings in, rows out.

tracker.fold(reading)            what was seen
tracker.targets()                which records' timestamps are worth a fetch
tracker.learn(answers)           what the fetch found
tracker.rows()                   one LagRow per group and partition
"""

import math
from collections.abc import Iterable

import msgspec

from serving.lag.eta import drain_eta_s
from serving.lag.history import EndHistory
from serving.lag.reading import Bounds, GroupReading, LoggedCommit, Partition, Reading
from serving.lag.row import LagRow
from serving.lag.stamps import Stamp, Stamps, Target
from serving.lag.status import Evidence, status_of
from serving.lag.window import Sample, Window, trend
from streams.topics import CHANGELOGS

RECENT_MS = 100_000
"""How long a zero lag counts as recent (Burrow: 10 intervals × 10 s)."""
FORGET_AFTER_MS = 24 * 3_600_000
"""A group or partition that was not seen for this long is dropped from memory."""
EXACT_LIMIT = 200
"""Fetches per sample: the worst rows get the exact timestamp, the others an interpolated one."""


class State(msgspec.Struct):
    """What survives a restart. `windows` is keyed by group, then topic, then partition."""

    cluster_id: str
    sampled_ms: int = 0
    ends: dict[str, dict[int, EndHistory]] = {}
    windows: dict[str, dict[str, dict[int, Window]]] = {}


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where a group would read on, and where the log ends: `lag` counts offsets, read or not readable."""

    offset: int
    readable: int
    lag: int
    lost: int
    committed: bool
    beyond: int


def position_of(committed: int | None, bounds: Bounds) -> Position:
    """Place a committed offset within the log.

    >>> position_of(None, Bounds(5, 9, 9)).lag, position_of(2, Bounds(5, 9, 9)).lost, position_of(12, Bounds(5, 9, 9))
    (4, 3, Position(offset=12, readable=9, lag=0, lost=0, committed=True, beyond=3))
    """
    if committed is None:
        return Position(bounds.start, bounds.start, bounds.end - bounds.start, 0, False, 0)
    readable = min(max(committed, bounds.start), bounds.end)
    beyond, lost = max(0, committed - bounds.end), max(0, bounds.start - committed)
    return Position(committed, readable, max(0, bounds.end - committed), lost, True, beyond)


class Tracker:
    """Folds readings into `State` and says how every group stands. `allowed` is the lag that is never an error."""

    def __init__(self, state: State, allowed: int = 0, exact_limit: int = EXACT_LIMIT) -> None:
        if allowed < 0:
            raise ValueError(f"allowed must not be negative, got {allowed}")
        self.state = state
        self._allowed = allowed
        self._exact_limit = exact_limit
        self._stamps = Stamps()
        self._reading: Reading | None = None
        self._positions: dict[str, dict[Partition, Position]] = {}

    def fold(self, reading: Reading) -> None:
        """Take in a reading: end offsets first, then the commits in their order, then where everything stands."""
        self._reading = reading
        for at, bounds in reading.bounds.items():
            self._extend_history(at, bounds.end, reading)
        for commit in reading.commits:
            self._apply_commit(commit, reading)
        by_topic: dict[str, list[Partition]] = {}
        for at in sorted(reading.bounds):
            by_topic.setdefault(at.topic, []).append(at)
        self._positions = {
            name: {
                at: self._place(name, group, at, reading)
                for topic in sorted(topics_of(group))
                for at in by_topic.get(topic, ())
            }
            for name, group in sorted(reading.groups.items())
        }
        self.state.sampled_ms = reading.now_ms
        self._forget(reading)

    def targets(self) -> list[Target]:
        """Records whose timestamp is not known exactly yet, the worst lag first, at most `exact_limit`."""
        reading = self._read()
        ranked: dict[Target, float] = {}
        for positions in self._positions.values():
            for at, here in positions.items():
                bounds = reading.bounds[at]
                if here.lag == 0 or here.readable >= bounds.stable:
                    continue
                target = Target(at, here.readable, bounds.end)
                if target not in ranked and self._stamps.of(target) is None:
                    ranked[target] = self._estimated_lag_ms(at, here.readable)
        return sorted(ranked, key=ranked.__getitem__, reverse=True)[: self._exact_limit]

    def learn(self, answers: Iterable[tuple[Target, Stamp]]) -> None:
        """Keep what fetches found; they stay true as long as the offset is the question."""
        for target, stamp in answers:
            self._stamps.keep(target, stamp)

    def needs_second_look(self) -> bool:
        """Whether somebody is behind and nothing is known of how fast it moves."""
        return any(
            here.lag > 0 and len(self._window(group, at).samples) < 2
            for group, positions in self._positions.items()
            for at, here in positions.items()
        )

    def rows(self) -> list[LagRow]:
        """How everything stands, ordered by group, topic, partition. Also records the sample for rates and trend."""
        return [
            self._row(group, at, here) for group, positions in self._positions.items() for at, here in positions.items()
        ]

    def _row(self, group: str, at: Partition, here: Position) -> LagRow:
        reading = self._read()
        window, bounds = self._window(group, at), reading.bounds[at]
        stamp = self._stamps.of(Target(at, here.readable, bounds.end)) if here.lag else None
        lag = 0 if stamp is not None and stamp.nothing_left else here.lag
        if lag <= self._allowed and here.committed:
            window.caught_up(lag)
        window.sample(Sample(reading.now_ms, here.offset, bounds.end, lag))
        members = reading.groups[group].members
        last = window.commits[-1].ts_ms if window.commits else None
        recent_ms = reading.now_ms - RECENT_MS
        status = status_of(
            Evidence(
                now_ms=reading.now_ms,
                lag=lag,
                position=here.offset,
                commits=window.commits,
                recent_ends=self._history(at).ends_since(recent_ms) if lag else (),
                recent_lags=[one.lag for one in window.samples if one.ts_ms >= recent_ms] if lag else (),
                rewound_from=window.rewound_from,
                members=members,
                silent_ms=reading.now_ms - min(window.first_seen_ms, reading.log_from_ms or window.first_seen_ms),
                allowed=self._allowed,
            )
        )
        eta_s = drain_eta_s(max(0, lag - here.lost), window.samples)
        return LagRow(
            group=group,
            topic=at.topic,
            partition=at.partition,
            lag=lag,
            lag_s=self._lag_ms(at, here, stamp) / 1000 if lag else 0.0,
            eta_s=None if math.isinf(eta_s) else round(eta_s, 3),
            status=status,
            last_commit_age_s=None if last is None else max(0, reading.now_ms - last) / 1000,
            lost_records=here.lost,
            members=members,
            committed=here.committed,
            offset=here.offset,
            end=bounds.end,
            exact=lag == 0 or (stamp is not None and stamp.ts_ms is not None),
            trend=trend(window.samples, reading.now_ms),
            note=_note(here, bounds, members),
        )

    def _lag_ms(self, at: Partition, here: Position, stamp: Stamp | None) -> int:
        if stamp is not None and stamp.ts_ms is not None:
            return max(0, self._read().now_ms - stamp.ts_ms)
        return self._estimated_lag_ms(at, here.readable)

    def _estimated_lag_ms(self, at: Partition, offset: int) -> int:
        estimate = self._history(at).appended_at(offset)
        return 0 if estimate is None else max(0, self._read().now_ms - estimate.ts_ms)

    def _place(self, name: str, group: GroupReading, at: Partition, reading: Reading) -> Position:
        bounds, committed = reading.bounds[at], group.committed.get(at)
        window = self._window(name, at)
        unseen = committed is not None and all(commit.offset != committed for commit in window.commits)
        if committed is not None and unseen and window.committed not in (None, committed):
            window.commit(reading.now_ms, committed, max(0, bounds.end - committed))
        window.committed = committed
        return position_of(committed, bounds)

    def _apply_commit(self, commit: LoggedCommit, reading: Reading) -> None:
        if commit.at not in reading.bounds or commit.group not in reading.groups:
            return
        window = self._window(commit.group, commit.at)
        end = self._history(commit.at).end_at(commit.ts_ms)
        lag = None if end is None else max(0, end - commit.offset)
        if window.commit(commit.ts_ms, commit.offset, lag) and end is not None and lag is not None:
            window.sample(Sample(commit.ts_ms, commit.offset, end, lag))

    def _extend_history(self, at: Partition, end: int, reading: Reading) -> None:
        history = self._history(at)
        if not history.add(reading.now_ms, end):
            for topics in self.state.windows.values():
                topics.get(at.topic, {}).pop(at.partition, None)
            self._stamps.forget(at)
        if at in reading.seeds:
            history.seed(reading.seeds[at])

    def _forget(self, reading: Reading) -> None:
        """Drop what has not been part of a sample for a day: deleted topics, groups that are gone."""
        oldest = reading.now_ms - FORGET_AFTER_MS
        ends = self.state.ends
        for topic in list(ends):
            for partition in [p for p, history in ends[topic].items() if history.times_ms[-1] < oldest]:
                del ends[topic][partition]
            if not ends[topic]:
                del ends[topic]
        for group in list(self.state.windows):
            topics = self.state.windows[group]
            for topic in list(topics):
                for partition in [p for p, window in topics[topic].items() if window.last_seen_ms() < oldest]:
                    del topics[topic][partition]
                if not topics[topic]:
                    del topics[topic]
            if not topics:
                del self.state.windows[group]

    def _history(self, at: Partition) -> EndHistory:
        return self.state.ends.setdefault(at.topic, {}).setdefault(at.partition, EndHistory())

    def _window(self, group: str, at: Partition) -> Window:
        topics = self.state.windows.setdefault(group, {}).setdefault(at.topic, {})
        if at.partition not in topics:
            topics[at.partition] = Window(first_seen_ms=self._read().now_ms)
        return topics[at.partition]

    def _read(self) -> Reading:
        if self._reading is None:
            raise RuntimeError("fold a reading first")
        return self._reading


def topics_of(group: GroupReading) -> set[str]:
    """The topics a group has committed to or is assigned; it answers for every partition of them.

    A changelog that it is assigned is its own state, read back at the start and never committed: that is no lag.
    """
    return {at.topic for at in group.committed} | ({at.topic for at in group.assigned} - CHANGELOGS)


def _note(here: Position, bounds: Bounds, members: int | None) -> str:
    notes = []
    if not here.committed:
        notes.append("never committed")
    if here.lost:
        notes.append(f"{here.lost} lost to retention")
    if here.beyond:
        notes.append("committed beyond the end")
    if bounds.stable < bounds.end:
        notes.append("open transaction")
    if members == 0:
        notes.append("no members")
    return ", ".join(notes)
