"""A lease on being alive: a worker that was stopped for long must not write what another owns by now."""

import threading
import time
from typing import Final

from streams.clock import boottime_s
from streams.failstop import stop_process

UNLEASED_DELIVERY_MS: Final = 300_000


class Lease:
    """Ends the process when a thread finds that more than `limit_s` went by between two of its looks at the clock."""

    def __init__(self, limit_s: float, *, enforced: bool = True) -> None:
        self.limit_s = limit_s
        self.enforced = enforced
        self.seen_s = boottime_s()

    @property
    def delivery_ms(self) -> int:
        """How long a record may wait to be delivered: what was queued before a stop must not land after it."""
        return int(self.limit_s * 1000) if self.enforced else UNLEASED_DELIVERY_MS

    def start(self) -> None:
        threading.Thread(target=self._watch, name="lease", daemon=True).start()

    def check(self) -> None:
        """Asked before every flush, too, in case the thread has not run yet since the process went on."""
        now_s = boottime_s()
        if self.enforced and now_s - self.seen_s > self.limit_s:
            stop_process(f"was stopped for {now_s - self.seen_s:.1f} s, longer than the lease of {self.limit_s:.1f} s")

    def _watch(self) -> None:
        while True:
            self.check()
            self.seen_s = boottime_s()
            time.sleep(0.1)
