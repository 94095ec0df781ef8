"""An experiment: do latent factors, learned from a stream, beat popularity?

    python -m evaluation.latent_factors DIR/tweets.jsonl.gz --factors 32 --rate 0.1

Asymmetric factors (Koren, KDD 2008): a person is the decayed mean of the input factors of their latest `CONTEXT` items,
so that nothing is trained by person and one click is enough. Learned by BPR (Rendle et al., UAI 2009) at each event,
with `NEGATIVES` uniform items that the person did not deal with, gradients clipped. Judged as protocol P1 judges `new`:
before each event, by a person with an earlier one, of an item new to them and known to somebody, after the first tenth
of the log; ranked among all items known by then but the person's own; ties count half. Beside it, on the same targets,
decayed popularity. This is no part of the pipeline: what came of it stands in docs/quality.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.next_item import target_of
from evaluation.replay_file import ReplayLog, read_log
from evaluation.timeline import Step, timeline

CONTEXT: Final = 20
FADING: Final = 0.8
NEGATIVES: Final = 10
CLIP: Final = 1.0
DECAY: Final = 0.01
"""L2 pull on the factors that a step touches."""
DAY_MS: Final = 86_400_000.0

Floats = npt.NDArray[np.float64]


class Factors:
    """Input and output factors and biases by item number; `rate` in (0, 1], `factors` ≥ 1."""

    def __init__(self, items: int, factors: int, rate: float, seed: int) -> None:
        if factors < 1 or not 0.0 < rate <= 1.0:
            raise ValueError(f"factors must be at least 1 and rate in (0, 1], not {factors} and {rate}")
        self._rng = np.random.default_rng(seed)
        self._rate = rate
        self.inputs = self._rng.normal(0.0, 0.1, (items, factors))
        self.outputs = self._rng.normal(0.0, 0.1, (items, factors))
        self.bias = np.zeros(items)

    def person(self, history: list[int]) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
        """Latest items, their shares, and the person's factors; `history` is the latest last."""
        latest = np.array(history[-CONTEXT:][::-1], np.intp)
        shares: Floats = np.power(FADING, np.arange(len(latest), dtype=np.float64))
        shares /= shares.sum()
        return latest, shares, shares @ self.inputs[latest]

    def scores(self, history: list[int], known: int) -> Floats:
        """Of the first `known` items."""
        found: Floats = self.outputs[:known] @ self.person(history)[2] + self.bias[:known]
        return found

    def learn_one(self, history: list[int], own: set[int], target: int, known: int) -> None:
        """One step of BPR for `target` against items below `known` that are not the person's own."""
        latest, shares, person = self.person(history)
        drawn = self._rng.integers(0, known, NEGATIVES)
        others = np.array([other for other in drawn.tolist() if other not in own and other != target], np.intp)
        if not len(others):
            return
        differences = self.outputs[target] - self.outputs[others]
        margin = differences @ person + self.bias[target] - self.bias[others]
        wrong = 1.0 / (1.0 + np.exp(np.clip(margin, -50.0, 50.0)))
        up = np.clip(wrong.sum() * person, -CLIP, CLIP)
        towards = np.clip(wrong @ differences, -CLIP, CLIP)
        rate = self._rate
        self.outputs[target] += rate * (up - DECAY * self.outputs[target])
        np.add.at(
            self.outputs, others, rate * (np.clip(-wrong[:, None] * person, -CLIP, CLIP) - DECAY * self.outputs[others])
        )
        self.bias[target] += rate * (min(wrong.sum(), CLIP) - DECAY * self.bias[target])
        np.add.at(self.bias, others, rate * (-wrong - DECAY * self.bias[others]))
        np.add.at(self.inputs, latest, rate * shares[:, None] * (towards - DECAY * self.inputs[latest]))


def place(scores: Floats, target: int, own: set[int]) -> float:
    """The target's rank among what is not the person's own, from 1; ties count half.

    >>> place(np.array([3.0, 1.0, 1.0, 2.0]), 1, {0})
    2.5
    """
    mine = list(own)
    scores[mine] = -np.inf
    here = scores[target]
    return 1.0 + float((scores > here).sum()) + 0.5 * float((scores == here).sum() - 1)


def compare(
    log: ReplayLog, factors: int, rate: float, seed: int, half_lives_d: tuple[float, ...] = (1.0, 7.0)
) -> dict[str, float]:
    """HR@10 of factors (`factors`) and of popularity at each half-life (`popularity 1 d` …), and `n`."""
    numbers: dict[str, int] = {}
    model = Factors(len({getattr(record.value, "item_id", "") for record in log.records}) + 1, factors, rate, seed)
    levels = np.full((len(half_lives_d), len(model.bias)), -np.inf)
    history: dict[str, list[int]] = {}
    hits = np.zeros(1 + len(half_lives_d))
    n, events, first = 0, 0, int(0.1 * log.events)
    for step in timeline(log):
        if not isinstance(step, Step):
            continue
        for record in step.records:
            events += 1
            item_id = target_of(record.value)
            if item_id is None:
                continue
            done = history.setdefault(step.user_id, [])
            own, known = set(done), len(numbers)
            target = numbers.setdefault(item_id, known)
            if done and target < known and target not in own:
                if events > first:
                    n += 1
                    hits[0] += place(model.scores(done, known), target, own) <= 10
                    for i in range(len(half_lives_d)):
                        hits[1 + i] += place(levels[i, :known].copy(), target, own) <= 10
                model.learn_one(done, own, target, known)
            for i, days in enumerate(half_lives_d):
                levels[i, target] = np.logaddexp2(levels[i, target], step.now_ms / (days * DAY_MS))
            done.append(target)
    named = ["factors", *(f"popularity {days:g} d" for days in half_lives_d)]
    return {
        "n": n,
        **{name: round(float(value) / n, 4) if n else math.nan for name, value in zip(named, hits, strict=True)},
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--factors", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, help="only the first so many events")
    options = parser.parse_args()
    told = compare(read_log(options.file, options.limit, None), options.factors, options.rate, options.seed)
    sys.stdout.write(f"{options.file.name}: {told}\n")


if __name__ == "__main__":
    main()
