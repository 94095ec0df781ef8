"""How long the challenger takes to score 300 candidates, by the clock and in CPU time. Bar: p99 <= 5 ms.

python -m benchmarks.challenger
"""

import json
import time

import numpy as np

from processors.blend import NAMES
from processors.challenger import Challenger, fit

CALLS, CANDIDATES, BAR_MS = 2_000, 300, 5.0


def main() -> None:
    rng = np.random.default_rng(1)
    tables = [rng.random((30, len(NAMES))) for _ in range(2_000)]
    weights = rng.normal(size=len(NAMES))
    started = time.process_time()
    model = fit(tables, weights, 0)
    fit_s = time.process_time() - started
    challenger = Challenger.of(model)
    assert challenger is not None
    candidates = rng.random((CANDIDATES, len(NAMES)))
    taken = np.zeros((2, CALLS))
    for call in range(CALLS):
        started, started_cpu = time.perf_counter(), time.thread_time()
        challenger.scores(candidates)
        taken[:, call] = time.perf_counter() - started, time.thread_time() - started_cpu
    wall, cpu = (np.percentile(row[50:] * 1_000, [50, 99]).round(3).tolist() for row in taken)
    figures = {"fit_cpu_s": round(fit_s, 2), "examples": len(tables), "bytes": len(model.trees)}
    times = {"p50_ms": wall[0], "p99_ms": wall[1], "cpu_p50_ms": cpu[0], "cpu_p99_ms": cpu[1]}
    print(json.dumps({**figures, **times, "bar_ms": BAR_MS, "met": wall[1] <= BAR_MS}))


if __name__ == "__main__":
    main()
