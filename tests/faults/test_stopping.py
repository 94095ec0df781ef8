"""SIGTERM: exit code 0 in time, and nothing lost."""

import signal
from collections.abc import Callable

import pytest

from streams.clock import boottime_s
from tests.faults.cluster import Cluster
from tests.faults.settle import begin, settle
from tests.integration.waiting import let_pass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_sigterm_under_load(make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster()
    sender = begin(cluster, 2, 110, 10_000, 500.0)
    took: list[float] = []
    for pause_s in (3.0, 2.0):
        let_pass(pause_s, "some way into the traffic")
        for process in [p for p in cluster.processes if p.alive]:
            begun_s, has_begun = boottime_s(), bool(process.status)
            code = process.terminate()
            assert code == 0 or (code == -signal.SIGTERM and not has_begun), cluster.complaints()
            took.append(boottime_s() - begun_s)
        cluster.keep("behaviour", 2)
        cluster.keep("learner", 1)
        let_pass(0.5, "also while it starts: a Python that has not imported anything yet just ends")
    sender.done.wait(120)
    verdict = settle(cluster)
    assert verdict.exact, str(verdict)
    assert verdict.repeated_recommendations == 0
    figure(f"{len(took)} stops, the longest {max(took):.1f} s; no id sent twice")
