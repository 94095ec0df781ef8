"""Protocol P2: learn one file, predict the last ids of another."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from evaluation.sessions import SessionsError, _Run, judge_sessions, read_sessions
from tests.evaluation.small_logs import SHOP

pytestmark = pytest.mark.slow

TRAIN = [["1", "2"], ["1", "2", "3"], ["4", "5"], ["2", "3"], ["1", "2"]]


@pytest.mark.parametrize("name", ["train.txt", "train.txt.gz"])
def test_a_line_is_a_session(tmp_path: Path, name: str) -> None:
    text = b"1 2\n\n3 4 5\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert read_sessions(path) == [["1", "2"], ["3", "4", "5"]]


def test_files_that_hold_no_sessions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("\n")
    with pytest.raises(SessionsError, match="no sessions"):
        read_sessions(path)
    path.write_text("a\n" + "b" * 129 + "\n")
    with pytest.raises(SessionsError, match="line 2"):
        read_sessions(path)


def test_the_last_id_is_predicted_from_those_before() -> None:
    judged = judge_sessions(TRAIN, [["1", "2"], ["9"], ["4", "5"], ["1", "unknown"], ["7", "3"]], SHOP)
    assert (judged.events, judged.never_seen, len(judged)) == (11, 1, 3)
    assert judged.rank[0] <= 3.0
    assert judged.rank[1] <= 3.0
    assert judged.baseline_ranks["covisitation"].tolist()[:2] == [1.0, 1.0]


def test_nothing_is_learned_from_test() -> None:
    asked = [["4", "5"], ["1", "2", "3"], ["3", "1"]]
    alone = [judge_sessions(TRAIN, [one], SHOP) for one in asked]
    together = judge_sessions(TRAIN, [asked[1], asked[2], asked[0]], SHOP)
    expected = [alone[1].rank[0], alone[2].rank[0], alone[0].rank[0]]
    assert together.rank.tolist() == expected
    assert together.baselines.tolist() == [rank for n in (1, 2, 0) for rank in alone[n].baselines]


def test_a_test_line_is_lived_an_action_a_second() -> None:
    times: list[list[int]] = []

    class Watched(_Run):
        def _leave(self, user_id: str) -> None:
            times.append([action.ts_ms for action in self._driver.profiles[user_id.encode()].actions])
            super()._leave(user_id)

    run = Watched(SHOP, False)
    run.learn("train", ["1", "2", "3"])
    run.close()
    run.predict("one", ["1", "2", "3"])
    run.predict("two", ["2", "3", "1"])
    end_ms = times[0][-1]
    assert times == [[end_ms - 2_000, end_ms - 1_000, end_ms], *[[end_ms + 1_000, end_ms + 2_000]] * 2]


def test_what_sessions_like_it_did_next_comes_first() -> None:
    blend = msgspec.structs.replace(SHOP, models="blend")
    train = [[str(k), str(k + 100)] for k in range(30)] * 4
    judged = judge_sessions(train, [[str(k), str(k + 100)] for k in range(30)], blend, baselines=False)
    assert float((judged.ranks <= 2).mean()) > 0.9


def test_on_real_sessions(data_dir: Path) -> None:
    train, test = (read_sessions(data_dir / f"sessions-yc64.{part}.txt.gz") for part in ("train", "test"))
    judged = judge_sessions(train[:1_500], test[:600], SHOP)
    assert len(judged) + judged.never_seen == 600
    assert float((judged.ranks <= 20).mean()) > 0.1
