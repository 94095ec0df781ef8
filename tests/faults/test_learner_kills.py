"""The learner is killed again and again: its rows are those of a straight fold of `learning`."""

import random
from collections.abc import Callable

import pytest

from tests.faults.cluster import Cluster
from tests.faults.settle import begin, kill_the_learner, settle

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.mark.parametrize("seed", range(10))
def test_the_model_is_a_fold(seed: int, make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster(ATTUNE_FLUSH_MS="50")
    rnd = random.Random(seed)
    sender = begin(cluster, 1, 200 + seed, 6_000, 500.0)
    kills = kill_the_learner(cluster, sender, rnd, 0.2, 3.0)
    verdict = settle(cluster, 1, cold=False)
    assert verdict.exact, str(verdict)
    figure(f"{kills} kills")
