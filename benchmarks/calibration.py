"""Protocol P4 in a simulated world: are the probabilities that lists carry those with which people act?

python -m benchmarks.calibration --world jobs --users 300 --days 28
"""

import argparse
import json

import msgspec

from evaluation.policies.audience import DAY_MS, Audience
from evaluation.policies.model_lists import LiveLists
from evaluation.policies.policy import Policy
from evaluation.policies.send_rule import at_ten, daily
from evaluation.ranker import RankerMeter, RankerReport
from evaluation.world_run import WorldRun
from simulation.world import make_world
from streams.settings import read_settings


def measure(world: str, users: int, days: int, seed: int, learned_days: int = 7) -> RankerReport | None:
    """Live through a world with lists on its site and a mail a day; the first `learned_days` are not counted."""
    made = make_world(world, seed, users, days)
    lists = LiveLists(read_settings(domain=world.partition(":")[0]).pack)
    meter = lists.meter = RankerMeter()
    WorldRun(made, Policy(lists, at_ten, daily, capped=True), Audience(), days).finish()
    from_ms, until_ms = made.start_ms + learned_days * DAY_MS, made.start_ms + days * DAY_MS
    return meter.report(from_ms, until_ms, lists.driver.pack.attribution_ms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="jobs")
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seed", type=int, default=1)
    asked = vars(parser.parse_args())
    print(json.dumps({**asked, "ranker": msgspec.to_builtins(measure(**asked))}))


if __name__ == "__main__":
    main()
