"""What another policy would have earned, from the decisions this one logged (protocol P3).

    w = min(π(a|x) / p, clip)
    IPS   = Σ w r / n                                   (Horvitz and Thompson 1952)
    SNIPS = Σ w r / Σ w                                 (Swaminathan and Joachims 2015)
    DR    = Σ [Σ_a π(a|x) q(x, a) + w (r − q(x, a))] / n   (Dudík, Langford and Li 2011), q fitted on other people

Every estimate carries a person-clustered bootstrap interval and stands beside the effective sample size
(Σ w)² / Σ w² (Kong 1992). Only explored places have support: a policy for whole lists is judged by experiment.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from evaluation.bandit_log import BanditLog, policy_frequencies, read_open_bandit
from evaluation.intervals import Estimate, Ratio, bootstrap, cluster_sums, difference
from evaluation.reward_model import CellMeans, cross_fitted

Floats = npt.NDArray[np.float64]

CLIP = 20.0
"""The largest importance weight: above it, variance costs more than bias."""
ENOUGH = 1_000.0
"""The effective sample size, in decisions, below which nothing is concluded."""


class Estimates(msgspec.Struct, frozen=True):
    """Mean reward a decision of the target policy, by three estimators."""

    ips: Estimate
    snips: Estimate
    dr: Estimate


class OffPolicyReport(msgspec.Struct, frozen=True):
    """What `attune evaluate --protocol off-policy --json` prints.

    `difference` is the doubly robust estimate minus the reference (`compare_with`), `verdict` reads it:
    `higher`, `lower` or `no difference`; null below an effective sample size of 1,000. `clipped` is the share of
    decisions whose weight met the clip: not a detail, but how much of the answer is a bound.
    """

    estimates: Estimates
    difference: Estimate
    ess: float
    n: int
    clipped: float
    verdict: str | None = None
    protocol: str = "off-policy"


class OffPolicy:
    """The estimators, with their settings.

    `clip` > 0 bounds the importance weights; `replicates` ≥ 100 bootstrap draws; `level` in (0, 1) of the intervals.

    >>> rng = np.random.default_rng(0)
    >>> action = rng.integers(0, 2, 4_000)
    >>> log = BanditLog(
    ...     context=np.zeros(4_000, int), action=action, reward=action * 1.0, propensity=np.full(4_000, 0.5),
    ...     cluster=np.arange(4_000), contexts=1, actions=2,
    ... )
    >>> report = OffPolicy().evaluate(log, target=np.array([[0.1, 0.9]]), rng=rng)
    >>> round(report.estimates.snips.value, 1), report.verdict  # the target takes the rewarded action nine times in ten
    (0.9, 'higher')
    """

    def __init__(self, clip: float = CLIP, replicates: int = 1_000, level: float = 0.95) -> None:
        if not clip > 0.0:
            raise ValueError(f"clip must be above 0, not {clip}")
        if replicates < 100:
            raise ValueError(f"replicates must be at least 100, not {replicates}")
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be in (0, 1), not {level}")
        self.clip = clip
        self.replicates = replicates
        self.level = level

    def weights(self, log: BanditLog, target: Floats) -> Floats:
        """Clipped importance weights of the logged actions, shape (n,)."""
        return np.minimum(target[log.context, log.action] / log.propensity, self.clip)

    def evaluate(
        self,
        log: BanditLog,
        target: Floats,
        rng: np.random.Generator,
        reference: BanditLog | None = None,
        rewards: CellMeans | None = None,
    ) -> OffPolicyReport:
        """The value of the policy `target`, shape (contexts, actions), rows summing to 1, on `log`.

        The difference is taken to the mean reward of `reference`, the log of an independent run (of the target policy
        itself: then it should cover 0); without one, to the logging policy's own mean, person by person. `rewards` is
        the model of the doubly robust estimate. Raises ValueError when the table does not fit the log.
        """
        if target.shape != (log.contexts, log.actions):
            raise ValueError(f"target must have shape {(log.contexts, log.actions)}, not {target.shape}")
        if not np.allclose(target.sum(axis=1), 1.0) or target.min() < 0.0:
            raise ValueError("target must hold probabilities, each row summing to 1")
        weight = self.weights(log, target)
        robust = self._doubly_robust(log, target, weight, rewards or CellMeans())
        counts, weights = cluster_sums(np.ones(len(log)), log.cluster), cluster_sums(weight, log.cluster)
        weighted = cluster_sums(weight * log.reward, log.cluster)
        ips, snips, dr, gain = bootstrap(
            [
                Ratio(weighted, counts),
                Ratio(weighted, weights),
                Ratio(cluster_sums(robust, log.cluster), counts),
                Ratio(cluster_sums(robust - log.reward, log.cluster), counts),
            ],
            rng,
            self.replicates,
            self.level,
        )
        if reference is not None:
            gain = difference(dr, self.on_policy(reference, rng))
        ess = effective_sample_size(weight)
        return OffPolicyReport(
            estimates=Estimates(ips, snips, dr),
            difference=gain,
            ess=ess,
            n=len(log),
            clipped=float(np.mean(weight >= self.clip)),
            verdict=verdict(gain, ess),
        )

    def on_policy(self, log: BanditLog, rng: np.random.Generator) -> Estimate:
        """The mean reward of the policy that wrote `log`, with its clustered interval."""
        people = Ratio(cluster_sums(log.reward, log.cluster), cluster_sums(np.ones(len(log)), log.cluster))
        return people.interval(rng, self.replicates, self.level)

    def _doubly_robust(self, log: BanditLog, target: Floats, weight: Floats, rewards: CellMeans) -> Floats:
        """The doubly robust score of each decision, shape (n,); its mean is the estimate."""
        shape = (log.contexts, log.actions)
        expected = cross_fitted(rewards, log.context, log.action, log.reward, log.cluster, shape)
        direct = np.einsum("na,na->n", target[log.context], expected)
        score: Floats = direct + weight * (log.reward - expected[np.arange(len(log)), log.action])
        return score


def effective_sample_size(weight: Floats) -> float:
    """(Σ w)² / Σ w²: the number of on-policy decisions these `weight`s, shape (n,), are worth.

    >>> effective_sample_size(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def verdict(gain: Estimate, ess: float) -> str | None:
    """What the interval of a difference says, or None where the sample is too thin to say anything.

    >>> verdict(Estimate(0.1, 0.05, 0.15), ess=2_000.0), verdict(Estimate(0.1, 0.05, 0.15), ess=200.0)
    ('higher', None)
    """
    if not ess >= ENOUGH:
        return None
    if gain.low > 0.0:
        return "higher"
    return "lower" if gain.high < 0.0 else "no difference"


def judge_policy_by_log(
    log: BanditLog, target_log: BanditLog, rng: np.random.Generator, estimators: OffPolicy | None = None
) -> OffPolicyReport:
    """The value on `log` of the policy that wrote `target_log`, beside what that policy really earned there.

    The target's propensities are its frequencies by context (position) in its own log. Both logs must have been read
    with the same contexts and actions.
    """
    table = policy_frequencies(target_log, log.contexts, log.actions)
    return (estimators or OffPolicy()).evaluate(log, table, rng, reference=target_log)


def judge_files(
    log: Path, target: Path, rng: np.random.Generator, estimators: OffPolicy | None = None
) -> OffPolicyReport:
    """`judge_policy_by_log` for two Open Bandit files, over the contexts and actions of both.

    Raises OSError for a file that cannot be read, BanditLogError for a row that cannot be used.
    """
    logged, wanted = read_open_bandit(log), read_open_bandit(target)
    shape = {
        "contexts": max(logged.contexts, wanted.contexts),
        "actions": max(logged.actions, wanted.actions),
    }
    widened, reference = (msgspec.structs.replace(one, **shape) for one in (logged, wanted))
    return judge_policy_by_log(widened, reference, rng, estimators)
