"""Protocol P3 on bandits whose truth is known: bias in its standard errors, how many of 100 intervals cover, DR's MSE
beside that of IPS.

    python -m benchmarks.off_policy
"""

import json

import numpy as np

from evaluation.off_policy import OffPolicy
from tests.evaluation.bandits import worlds

RUNS, DECISIONS = 100, 3_000
NAMES = ("ips", "snips", "dr")


def main() -> None:
    estimators = OffPolicy(replicates=300)
    for name, bandit in worlds().items():
        rng = np.random.default_rng(1)
        reports = [estimators.evaluate(bandit.draw(rng, DECISIONS), bandit.target, rng) for _ in range(RUNS)]
        figures: dict[str, object] = {"world": name, "ess": round(float(np.mean([report.ess for report in reports])))}
        squares = {}
        for estimator in NAMES:
            found = [getattr(report.estimates, estimator) for report in reports]
            values = np.array([estimate.value for estimate in found])
            squares[estimator] = float(((values - bandit.truth) ** 2).mean())
            bias = (values.mean() - bandit.truth) / (values.std(ddof=1) / RUNS**0.5)
            covers = sum(estimate.covers(bandit.truth) for estimate in found)
            figures[estimator] = {"bias_se": round(float(bias), 2), "covers": covers}
        figures["mse_dr_to_ips"] = round(squares["dr"] / squares["ips"], 3)
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
