"""`attune lag serve`: sample at an interval, show the last snapshot, keep the state, until told to stop."""

import threading
import time
from collections.abc import Callable

import structlog

from serving.lag.collector import Collector, wall_clock_ms
from serving.lag.errors import LagError
from serving.lag.metrics import Snapshot, render
from serving.lag.server import MetricsServer

RETENTION_EVERY_S = 600.0
"""How often topics are asked how long they keep records."""
SAVE_EVERY_S = 30.0
"""The state is written no more often than this, and once at the end."""

log = structlog.get_logger(__name__)


class Watch:
    """Runs an open collector behind a metrics server. A failed sample is shown (`up` 0) and tried again.

    `more` is the text of further metrics for the same page.
    """

    def __init__(
        self,
        collector: Collector,
        interval_s: float,
        clock: Callable[[], int] = wall_clock_ms,
        more: Callable[[], bytes] = bytes,
    ) -> None:
        if interval_s <= 0:
            raise ValueError(f"interval_s must be positive, got {interval_s}")
        self._collector = collector
        self._interval_s = interval_s
        self._clock = clock
        self._more = more
        self._retention_s: dict[str, float] = {}
        self._asked: set[str] = set()
        self._asked_at = 0.0
        self._snapshot = Snapshot()
        self._saved_at = time.monotonic()

    def current(self) -> Snapshot:
        """The last snapshot."""
        return self._snapshot

    def health(self) -> str | None:
        """What is wrong with the collector itself, in one line; None when samples come in."""
        age_ms = self._clock() - self._snapshot.last_success_ms
        if self._snapshot.last_success_ms == 0:
            return "no sample yet"
        if age_ms > max(3 * self._interval_s, 30) * 1000:
            return f"the last sample is {age_ms // 1000} s old"
        return None

    def server(self, host: str, port: int) -> MetricsServer:
        """A metrics server over this watch, not yet bound."""
        return MetricsServer(lambda: render(self._snapshot, self._clock()) + self._more(), self.health, host, port)

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set, then write the state."""
        while not stop.is_set():
            started = time.monotonic()
            self.once()
            if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
                self._save()
            stop.wait(max(0.0, self._interval_s - (time.monotonic() - started)))
        self._save()

    def once(self) -> None:
        """One sample into the snapshot."""
        before, started = self._snapshot, time.monotonic()
        try:
            rows = self._collector.sample()
            self._ask_retentions({row.topic for row in rows})
        except LagError as error:
            log.warning("sample failed", reason=str(error))
            self._snapshot = Snapshot(
                before.rows,
                False,
                before.last_success_ms,
                before.duration_s,
                before.samples + 1,
                before.failures + 1,
                before.retention_s,
            )
            return
        self._snapshot = Snapshot(
            tuple(rows),
            up=True,
            last_success_ms=self._clock(),
            duration_s=time.monotonic() - started,
            samples=before.samples + 1,
            failures=before.failures,
            retention_s=self._retention_s,
        )

    def _ask_retentions(self, topics: set[str]) -> None:
        """Where topics are new, and every ten minutes."""
        if topics - self._asked or (topics and time.monotonic() - self._asked_at >= RETENTION_EVERY_S):
            self._asked, self._asked_at = topics, time.monotonic()
            self._retention_s = self._collector.retentions_s(sorted(topics))

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        try:
            self._collector.save()
        except OSError as error:
            log.warning("state not saved", reason=str(error))
