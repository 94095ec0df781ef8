"""How a trial begins, and how it ends: bringing a hurt cluster to rest, as a supervisor would, and judging it."""

import random
from typing import Any

from tests.faults.cluster import Cluster
from tests.faults.traffic import Sender, catalogue, events, send
from tests.faults.verdict import Verdict, behind, judge, lag
from tests.integration.waiting import eventually


def begin(cluster: Cluster, workers: int, seed: int, count: int, rate: float, repeats: float = 0.02) -> Sender:
    """A catalogue, running workers and a learner, and live traffic."""
    send(cluster.settings, catalogue(300))
    cluster.keep("behaviour", workers)
    cluster.keep("learner", 1)
    eventually(cluster.all_ready, 60, 0.3, "workers that run")
    return Sender(cluster.settings, events(seed, count, repeats=repeats), rate).start()


def kill_the_learner(cluster: Cluster, sender: Sender, rnd: random.Random, least_s: float, most_s: float) -> int:
    """Again and again while there is traffic, each time after a while between the two; returns how often."""
    kills = 0
    while not sender.done.is_set():
        sender.done.wait(rnd.uniform(least_s, most_s))
        cluster.running("learner")[0].kill()
        kills += 1
        cluster.keep("learner", 1)
    return kills


def caught_up(cluster: Cluster) -> bool:
    """Whether every process runs and no group lags."""
    return cluster.all_ready() and lag(cluster.settings.bootstrap, cluster.settings.partitions) == 0


def catch_up(cluster: Cluster, workers: int, timeout_s: float = 60.0) -> None:
    """Wait until no group lags, replacing what has ended, as a supervisor does."""

    def kept() -> bool:
        cluster.keep("behaviour", workers)
        cluster.keep("learner", 1)
        return caught_up(cluster)

    try:
        eventually(kept, timeout_s, 0.3, "lag 0 on every partition")
    except TimeoutError as error:
        lagging = behind(cluster.settings.bootstrap, cluster.settings.partitions)
        raise AssertionError(f"{error}: {lagging}\n{cluster.complaints()}") from None


def stop_all(cluster: Cluster) -> None:
    """SIGTERM for all: everything must end cleanly, and in time."""
    running = [process for process in cluster.processes if process.alive and not process.stopped]
    codes = [process.terminate() for process in running]
    assert set(codes) <= {0}, f"unclean stops {codes}\n{cluster.complaints()}"


def settle(cluster: Cluster, workers: int = 2, *, cold: bool = True, **how: Any) -> Verdict:
    """Catch up, stop everything cleanly, and judge; `cold` lets a fresh worker recover everything first, which heals
    what a late zombie may have overwritten.
    """
    catch_up(cluster, workers)
    stop_all(cluster)
    if cold:
        cluster.keep("behaviour", 1)
        cluster.keep("learner", 1)
        catch_up(cluster, 1)
        stop_all(cluster)
    settings = cluster.settings
    return judge(settings.bootstrap, settings.partitions, settings.pack, **how)
