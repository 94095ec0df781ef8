"""Exactly once in effect: whatever dies, profiles, models and decisions are those of an undisturbed run.

Three seeds run with every test run, with the learned blend that the packs ship with; `make faults` runs twenty more,
every fourth of them with it.
"""

import random
from collections.abc import Callable

import pytest

from tests.faults.cluster import Cluster
from tests.faults.settle import settle
from tests.faults.traffic import Sender, catalogue, events, send
from tests.faults.verdict import Verdict

QUICK_SEEDS = range(3)
ALL_SEEDS = range(3, 23)


def run_kills(cluster: Cluster, seed: int, count: int, rate: float, *, cold: bool) -> tuple[Verdict, list[str]]:
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
    return settle(cluster, cold=cold), done


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_kills_lose_and_repeat_nothing(seed: int, make_cluster: Callable[..., Cluster]) -> None:
    verdict, done = run_kills(make_cluster(models="blend"), seed, 4_000, 320.0, cold=False)
    assert verdict.exact, f"{verdict} after {done}"


@pytest.mark.faults
@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_more_kills_lose_and_repeat_nothing(
    seed: int, make_cluster: Callable[..., Cluster], figure: Callable[[str], None]
) -> None:
    if seed % 4:
        verdict, done = run_kills(make_cluster(), seed, 12_000, 600.0, cold=True)
    else:
        verdict, done = run_kills(make_cluster(models="blend"), seed, 6_000, 320.0, cold=True)
    assert verdict.exact, f"{verdict} after {done}"
    figure(f"{verdict.records} records, {len(done)} faults, {verdict.repeated_recommendations} ids sent twice")
