"""Reading logged bandits; the real files where ATTUNE_DATA points at them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from evaluation.bandit_log import BanditLog, BanditLogError, dense_codes, policy_frequencies, read_open_bandit
from evaluation.off_policy import judge_policy_by_log

HEADER = "timestamp,item_id,position,click,propensity_score," + ",".join(f"user_feature_{n}" for n in range(4))
ROWS = ["t,2,1,0,0.5,a,b,c,d", "t,0,3,1,0.25,a,b,c,e", "t,1,1,0,0.5,a,b,c,d"]


def written(path: Path, rows: list[str]) -> Path:
    text = "\n".join([HEADER, *rows]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_rows_become_columns(tmp_path: Path, name: str) -> None:
    log = read_open_bandit(written(tmp_path / name, ROWS), actions=5)
    assert log.context.tolist() == [0, 2, 0]
    assert log.action.tolist() == [2, 0, 1]
    assert log.reward.tolist() == [0.0, 1.0, 0.0]
    assert log.propensity.tolist() == [0.5, 0.25, 0.5]
    assert log.cluster.tolist() == [0, 1, 0]
    assert (log.contexts, log.actions, len(log)) == (3, 5, 3)


@pytest.mark.parametrize("bad", ["t,x,1,0,0.5,a,b,c,d", "t,1,1,0", "t,1,1,0,none,a,b,c,d"])
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, bad: str) -> None:
    with pytest.raises(BanditLogError, match=r"log\.csv, line 3"):
        read_open_bandit(written(tmp_path / "log.csv", [ROWS[0], bad]))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BanditLogError, match="no decisions"):
        read_open_bandit(written(tmp_path / "log.csv", []))


@pytest.mark.parametrize("row", ["t,1,1,0,0,a,b,c,d", "t,1,1,0,1.5,a,b,c,d", "t,1,0,0,0.5,a,b,c,d"])
def test_impossible_decisions_are_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(BanditLogError):
        read_open_bandit(written(tmp_path / "log.csv", [row]))


def test_frequencies_equal_counts_by_position() -> None:
    rng = np.random.default_rng(0)
    context, action = rng.integers(0, 3, 500), rng.integers(0, 4, 500)
    log = BanditLog(context, action, np.zeros(500), np.ones(500), np.arange(500), contexts=3, actions=4)
    table = policy_frequencies(log, contexts=4, actions=6)
    assert table.shape == (4, 6)
    for x in range(3):
        for a in range(6):
            assert table[x, a] == pytest.approx(np.mean(action[context == x] == a))
    assert table[3].tolist() == pytest.approx([float(np.mean(action == a)) for a in range(6)])


def test_codes_keep_the_order_of_appearance() -> None:
    assert dense_codes(["z", "a", "z", "b"]).tolist() == [0, 1, 0, 2]


@pytest.mark.skipif("ATTUNE_DATA" not in os.environ, reason="ATTUNE_DATA does not point at the real logs")
def test_on_the_open_bandit_files_the_difference_covers_zero() -> None:
    data = Path(os.environ["ATTUNE_DATA"])
    uniform = read_open_bandit(data / "bandit-men-random.csv.gz")
    learned = read_open_bandit(data / "bandit-men-bts.csv.gz", actions=uniform.actions)
    assert (uniform.reward.sum(), learned.reward.sum()) == (46.0, 69.0)
    report = judge_policy_by_log(uniform, learned, np.random.default_rng(0))
    assert report.difference.covers(0.0)
    assert report.ess >= 1_000.0
    assert report.verdict == "no difference"
