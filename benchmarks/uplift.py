"""The experiment of evaluation/uplift.py with the pack as it ships: minutes, then a line of JSON for each tenth."""

from __future__ import annotations

import argparse
import json
import sys

import msgspec
import numpy as np

from evaluation.uplift import TENTHS, counted, labels_of, tenths_of
from streams.settings import read_settings


def main() -> None:
    """Print the tenths, the lowest prediction first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uplift", description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    pack, counts = read_settings({}).packs["jobs"], np.zeros((TENTHS, 5))
    for seed in range(1, given.seeds + 1):
        labels = labels_of(given.users, given.days, seed, pack)
        counts += counted(labels)
        print(f"seed {seed}: {len(labels)} labels", file=sys.stderr, flush=True)
    for tenth in tenths_of(counts):
        print(json.dumps(msgspec.to_builtins(tenth)))


if __name__ == "__main__":
    main()
