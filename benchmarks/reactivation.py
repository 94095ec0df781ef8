"""The experiment of evaluation/reactivation.py with the pack as it ships: minutes, a line of JSON for each seed."""

from __future__ import annotations

import argparse
import json

import msgspec

from evaluation.reactivation import WITHIN_MS, arms_of, found_in
from processors.week import DAY_MS
from streams.settings import read_settings


def main() -> None:
    """Print each seed as it is done, and all together, as lines of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reactivation", description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=28, help="more than 14")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    if given.days <= WITHIN_MS // DAY_MS:
        parser.error(f"--days must be more than {WITHIN_MS // DAY_MS}, not {given.days}")
    pack = read_settings({}).packs["jobs"]
    arms = []
    for seed in range(1, given.seeds + 1):
        arms.append(arms_of(given.users, given.days, seed, pack))
        print(json.dumps(msgspec.to_builtins(arms[-1])), flush=True)
    print(json.dumps(msgspec.to_builtins(found_in(arms))))


if __name__ == "__main__":
    main()
