"""The collector: one sample after another, from the broker through the tracker to rows."""

import pathlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType

from serving.lag import state_file
from serving.lag.broker import Broker
from serving.lag.commit_log import CommitLog
from serving.lag.commit_record import TOPIC
from serving.lag.probe import Probe
from serving.lag.reading import Bounds, GroupReading, Partition, Reading
from serving.lag.row import LagRow
from serving.lag.tracker import Tracker, topics_of
from streams.topics import GROUPS

SEED_AGES_S = (30, 100, 300, 600, 3_600, 6 * 3_600, 24 * 3_600, 7 * 24 * 3_600)
"""How far back the end offsets of a partition are looked up when it is first seen."""
SECOND_LOOK_S = 1.0


def wall_clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Collector:
    """Samples groups of one cluster, Attune's own unless told otherwise; `groups=None` means all.

    A context manager: opening connects, closing leaves. With a `state_dir` the history of an earlier collector is
    used; only `save` writes it. `commit_log_budget_s` bounds the time a sample spends reading the commit log,
    `probe_budget_s` the time it spends fetching timestamps.
    Raises BrokerUnreachableError (opening and sampling) in less than ten seconds.
    """

    def __init__(
        self,
        bootstrap: str,
        client_config: Mapping[str, str] | None = None,
        groups: Sequence[str] | None = GROUPS,
        state_dir: pathlib.Path | None = None,
        allowed: int = 0,
        clock: Callable[[], int] = wall_clock_ms,
        timeout_s: float = 6.0,
        commit_log_budget_s: float = 3.0,
        probe_budget_s: float = 2.0,
    ) -> None:
        self._bootstrap = bootstrap
        self._client_config = dict(client_config or {})
        self._groups = None if groups is None else list(dict.fromkeys(groups))
        self._state_dir = state_dir
        self._allowed = allowed
        self._clock = clock
        self._timeout_s = timeout_s
        self._commit_log_budget_s = commit_log_budget_s
        self._probe_budget_s = probe_budget_s
        self._tracker: Tracker | None = None
        self._seeded: set[Partition] = set()

    def __enter__(self) -> "Collector":
        self._broker = Broker(self._bootstrap, self._client_config, self._timeout_s)
        cluster_id, topics = self._broker.topics()
        state = state_file.load(self._state_dir, cluster_id)
        self._seeded = {Partition(topic, number) for topic, numbers in state.ends.items() for number in numbers}
        self._probe = Probe(self._bootstrap, self._client_config, self._probe_budget_s)
        self._log = CommitLog(self._bootstrap, self._client_config, self._groups, self._commit_log_budget_s)
        try:
            self._log.open(self._broker, topics.get(TOPIC, 0), self._clock())
        except BaseException:
            self._broker.leave()
            raise
        self._tracker = Tracker(state, self._allowed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracker = None
        if kind is not None:
            self._broker.leave()
        self._probe.close()
        self._log.close()

    def sample(self) -> list[LagRow]:
        """One look: read, judge, fetch the timestamps that matter most, and say how every group stands."""
        tracker = self._open_tracker()
        tracker.fold(self._read())
        targets = tracker.targets()
        if targets:
            tracker.learn(self._probe.ask(targets))
        return tracker.rows()

    def sample_with_rates(self, pause: Callable[[float], None] = time.sleep) -> list[LagRow]:
        """As `sample`, and a second time after a second where nothing is known yet of how fast a lag changes."""
        rows = self.sample()
        if self._open_tracker().needs_second_look():
            pause(SECOND_LOOK_S)
            rows = self.sample()
        return rows

    def retentions_s(self, topics: Iterable[str]) -> dict[str, float]:
        """How long topics keep records. Raises BrokerUnreachableError."""
        return self._broker.retentions_s(topics)

    def save(self) -> None:
        """Write the state for the next start; nothing without a state directory. Raises OSError."""
        if self._state_dir is not None:
            state_file.save(self._state_dir, self._open_tracker().state)

    def _read(self) -> Reading:
        _, topics = self._broker.topics()
        groups = self._broker.groups(self._broker.group_ids() if self._groups is None else self._groups, topics)
        touched = set().union(*(topics_of(group) for group in groups.values()))
        wanted = [Partition(name, number) for name in sorted(touched) for number in range(topics.get(name, 0))]
        bounds = self._broker.bounds(wanted)
        now_ms = self._clock()
        commits, log_from_ms = self._log.read(self._broker)
        seeds = self._seeds(groups, bounds, now_ms)
        return Reading(now_ms, bounds, groups, commits, log_from_ms, seeds)

    def _seeds(
        self, groups: Mapping[str, GroupReading], bounds: Mapping[Partition, Bounds], now_ms: int
    ) -> dict[Partition, list[tuple[int, int]]]:
        """Past end offsets of partitions that are seen behind for the first time."""
        behind = [
            at
            for at, bound in bounds.items()
            if at not in self._seeded
            and bound.end > bound.start
            and any(group.committed.get(at, 0) < bound.end for group in groups.values())
        ]
        self._seeded.update(behind)
        seeds: dict[Partition, list[tuple[int, int]]] = {at: [] for at in behind}
        for age_s in SEED_AGES_S if behind else ():
            ts_ms = now_ms - age_s * 1000
            for at, offset in self._broker.offsets_at(behind, ts_ms).items():
                seeds[at].append((ts_ms, bounds[at].end if offset < 0 else offset))
        return seeds

    def _open_tracker(self) -> Tracker:
        if self._tracker is None:
            raise RuntimeError("use the collector as a context manager")
        return self._tracker
