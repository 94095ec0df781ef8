"""Samples groups thrice; prints rows, slowest sample (s), peak memory (MB), a render of /metrics (s), CPU (s)."""

import re
import sys
import time
from pathlib import Path

from serving.lag.collector import Collector, wall_clock_ms
from serving.lag.metrics import Snapshot, render


def main(bootstrap: str, groups: list[str]) -> None:
    slowest_s = cpu = 0.0
    with Collector(bootstrap, groups=groups) as collector:
        rows = []
        for _ in range(3):
            started, cpu = time.perf_counter(), time.process_time()
            rows = collector.sample()
            slowest_s = max(slowest_s, time.perf_counter() - started)
        shown = Snapshot(tuple(rows), up=True, last_success_ms=wall_clock_ms())
        started = time.perf_counter()
        render(shown, wall_clock_ms())
        render_s = time.perf_counter() - started
        cpu_s = time.process_time() - cpu
    rss_mb = (
        int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
    )  # ru_maxrss: the parent's too
    sys.stdout.write(f"{len(rows)} {slowest_s} {rss_mb} {render_s} {cpu_s}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
