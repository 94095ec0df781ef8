"""P4: figures against truth and by hand, labels only after their delay, null without impressions, and a world."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.calibration import measure
from evaluation.next_item import NextItem, judge
from evaluation.next_report import figures
from evaluation.ranker import RankerMeter, judged
from evaluation.replay_file import read_log
from processors.effects import Learn
from processors.replica import Replica
from processors.response import ACTED, APPLIED, FEATURES, SHOWN, packed
from schemas.learning import Example, Feedback
from tests.processors.market import NOW_MS, PACK

HOUR_MS = 3_600_000
ROWS = np.zeros((3, len(FEATURES)))


def test_true_probabilities_are_calibrated_and_wrong_ones_are_not() -> None:
    rng = np.random.default_rng(4)
    p = rng.beta(1.0, 12.0, size=60_000)
    happened = rng.random(60_000) < p
    week = np.arange(60_000) // 20_000
    told = judged(p, happened, week)
    assert told.calibration == pytest.approx(1.0, abs=0.04)
    assert told.normalised_entropy is not None
    assert told.normalised_entropy < 0.95
    assert len(told.weeks) == 3
    assert all(0.8 < ratio < 1.25 for ratio in told.deciles)
    assert told.auc == pytest.approx((p[happened][:2_000, None] > p[~happened][:2_000]).mean(), abs=0.03)
    twice = judged(np.minimum(2.0 * p, 1.0), happened, week)
    assert twice.calibration is not None
    assert twice.calibration > 1.8
    nothing = judged(np.full(60_000, 1e-9), happened, week)
    assert nothing.calibration == pytest.approx(0.0, abs=1e-6)
    assert nothing.auc == 0.5


def learn(*told: Feedback) -> list[Learn]:
    return [Learn(Example(0, 0, 0, -1, "", (), feedback=told))]


def test_labels_count_only_where_their_window_is_over() -> None:
    meter, replica = RankerMeter(), Replica(PACK)
    for k in range(10):
        meter.take(learn(Feedback(SHOWN, k, (0, 1, 2), packed(ROWS))), NOW_MS + k * HOUR_MS, replica)
    meter.take(learn(Feedback(ACTED, 3, (1,), packed(ROWS[:1])), Feedback(APPLIED, 3, (1,), b"")), NOW_MS, replica)
    meter.take(learn(Feedback(ACTED, 4, (0,), packed(ROWS[:1])), Feedback(ACTED, 99, (0,), b"")), NOW_MS, replica)
    told = meter.report(NOW_MS + HOUR_MS, NOW_MS + 9 * HOUR_MS, 2 * HOUR_MS)
    assert told is not None
    assert (told.n, told.positives) == (7 * 3, 2)
    assert (told.apply.n, told.apply.positives) == (2, 1)
    assert told.calibration == pytest.approx(0.05 * 21 / 2)
    assert meter.report(NOW_MS + 20 * HOUR_MS, NOW_MS + 90 * HOUR_MS, 0) is None


def line(topic: str, user: str, n: int, **fields: object) -> str:
    value = {"event_id": f"e{n}", "user_id": user, "ts_ms": NOW_MS + n * 60_000, **fields}
    return msgspec.json.encode({"topic": topic, "key": user, "value": value}).decode()


@pytest.mark.parametrize("with_impressions", [True, False])
def test_a_log_has_a_ranker_where_it_has_impressions(tmp_path: Path, with_impressions: bool) -> None:
    rng = np.random.default_rng(8)
    lines = [f'{{"topic": "items", "key": "i{k}", "value": {{"item_id": "i{k}"}}}}' for k in range(20)]
    for n in range(0, 1_200, 2):
        user, items = f"u{n % 14}", [f"i{k}" for k in rng.permutation(20)[:5]]
        if with_impressions:
            lines.append(line("impressions", user, n, rec_id=f"r{n}", item_ids=items))
        if rng.random() < 0.4 or not with_impressions:
            lines.append(line("views", user, n + 1, item_id=items[int(rng.random() * 2)]))
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(lines))
    pack = msgspec.structs.replace(PACK, attribution_ms=HOUR_MS)
    told = figures(judge(read_log(file), pack, NextItem(baselines=False)))["ranker"]
    if not with_impressions:
        assert told is None
        return
    assert told.n > 2_000
    assert 0.0 < told.positives < told.n
    assert 0.5 < told.calibration < 2.0
    assert told.auc > 0.6  # the first two places were acted on more


@pytest.mark.slow
def test_in_a_world_the_probabilities_come_near_the_truth() -> None:
    told = measure("jobs", users=60, days=12, seed=3, learned_days=4)
    assert told is not None
    assert told.positives > 60
    assert told.calibration == pytest.approx(1.0, abs=0.35)
    assert told.auc is not None
    assert told.auc > 0.55
