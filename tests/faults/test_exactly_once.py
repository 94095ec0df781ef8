"""Exactly once in effect: whatever dies, profiles, models and decisions are those of an undisturbed run.

Three seeds run with every test run; `make faults` runs twenty and the negative controls.
"""

import random
from collections.abc import Callable

import pytest

from tests.faults.cluster import Cluster
from tests.faults.traffic import Sender, catalogue, events, send
from tests.faults.verdict import Verdict, judge, lag
from tests.integration.waiting import eventually

QUICK_SEEDS = range(3)
ALL_SEEDS = range(3, 23)


def catch_up(cluster: Cluster, workers: int, timeout_s: float = 120.0) -> None:
    """Wait until no group lags, replacing what has ended, as a supervisor does."""

    def caught_up() -> bool:
        cluster.keep("behaviour", workers)
        cluster.keep("learner", 1)
        return cluster.all_ready() and lag(cluster.settings.bootstrap, cluster.settings.partitions) == 0

    eventually(caught_up, timeout_s, 0.5, "lag 0 on every partition")


def settle(cluster: Cluster, workers: int = 2) -> Verdict:
    """Catch up, stop everything cleanly, let a fresh worker heal what a late zombie may have overwritten, and judge."""
    catch_up(cluster, workers)
    codes = [p.terminate() for p in cluster.processes if p.alive and not p.stopped]
    assert set(codes) <= {0}, f"unclean stops {codes}\n{cluster.complaints()}"
    cluster.keep("behaviour", 1)
    cluster.keep("learner", 1)
    catch_up(cluster, 1)
    for process in cluster.processes:
        if process.alive:
            assert process.terminate() == 0, cluster.complaints()
    settings = cluster.settings
    return judge(settings.bootstrap, settings.partitions, settings.pack)


def run_kills(cluster: Cluster, seed: int, count: int, rate: float) -> tuple[Verdict, list[str]]:
    """Kill, stop, end and add workers at random points under live traffic; the learner is killed too."""
    rnd = random.Random(seed)
    send(cluster.settings, catalogue(300))
    cluster.start("behaviour")
    cluster.start("behaviour")
    cluster.start("learner")
    sender = Sender(cluster.settings, events(seed, count), rate).start()
    done: list[str] = []
    while not sender.done.is_set():
        sender.done.wait(rnd.uniform(1.0, 5.0))
        workers = cluster.running("behaviour")
        match rnd.choice(["kill", "kill", "learner", "term", "join", "early"]):
            case "kill" if workers:
                rnd.choice(workers).kill()
                done.append("kill")
            case "learner" if cluster.running("learner"):
                cluster.running("learner")[0].kill()
                done.append("kill learner")
            case "term" if len(workers) > 1:
                rnd.choice(workers).terminate()
                done.append("term")
            case "join" if len(workers) < 3:
                cluster.start("behaviour")
                done.append("join")
            case "early":
                young = cluster.start("behaviour")
                sender.done.wait(rnd.uniform(0.5, 3.0))
                young.kill()
                done.append("kill during start")
        cluster.keep("behaviour", 1 + rnd.randrange(2))
        cluster.keep("learner", 1)
    return settle(cluster), done


@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_kills_lose_and_repeat_nothing(seed: int, make_cluster: Callable[..., Cluster]) -> None:
    verdict, done = run_kills(make_cluster(), seed, 6_000, 400.0)
    assert verdict.exact, f"{verdict} after {done}"


@pytest.mark.faults
@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_more_kills_lose_and_repeat_nothing(seed: int, make_cluster: Callable[..., Cluster]) -> None:
    verdict, done = run_kills(make_cluster(), seed, 30_000, 800.0)
    assert verdict.exact, f"{verdict} after {done}"
