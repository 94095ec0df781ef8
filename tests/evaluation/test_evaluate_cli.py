"""`attune evaluate` from the outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from attune.cli.main import app
from tests.evaluation.small_logs import random_log, written
from tests.evaluation.test_bandit_log import ROWS
from tests.evaluation.test_bandit_log import written as written_bandit

pytestmark = pytest.mark.slow


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "log.jsonl.gz", random_log(1))


def test_next_item(log: Path) -> None:
    found = told(log, "--candidates", "new", "--limit", 60, "--domain", "shop")
    assert (found["file"], found["protocol"], found["candidates"]) == ("log.jsonl.gz", "next", "new")
    assert (found["events"], found["domain"], found["config"]["limit"]) == (60, "shop", 60)
    assert "ablation" not in found


def test_options_add_their_figures(log: Path, tmp_path: Path) -> None:
    found = told(log, "--ablation", "--by", "segment", "--intervals", "--svg", tmp_path / "w.svg")
    assert {one["name"] for one in found["ablation"]} >= {"without text", "only co-visitation"}
    assert {group["name"] for group in found["segments"]["groups"]} == {"", "s0", "s1", "returning"}
    assert set(found["intervals"]) == {"hr@10", "hr@20", "mrr@20", "ndcg@10"}
    assert (tmp_path / "w.svg").read_text().startswith("<svg")


def test_people_get_a_table(log: Path) -> None:
    result = run(log)
    assert result.exit_code == 0
    assert "own recency" in result.output


def test_sessions(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("1 2\n1 2 3\n")
    (tmp_path / "test").write_text("1 2\n")
    found = told("--protocol", "sessions", "--train", tmp_path / "train", "--test", tmp_path / "test")
    assert (found["protocol"], found["events"], found["scored"]) == ("sessions", 5, 1)


def test_off_policy(tmp_path: Path) -> None:
    paths = [written_bandit(tmp_path / f"{name}.csv", ROWS * 5) for name in ("log", "target")]
    found = told("--protocol", "off-policy", "--log", paths[0], "--target", paths[1])
    assert set(found["estimates"]) == {"ips", "snips", "dr"}
    assert found["verdict"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--protocol", "sessions", "--train", "x"],
        ["--protocol", "off-policy", "--log", "x"],
        ["x", "--protocol", "sessions", "--train", "x", "--test", "x"],
        ["x", "--candidates", "all"],
        ["--protocol", "sessions", "--train", "x", "--test", "x", "--slate"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_file_that_cannot_be_used_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    missing = run(tmp_path / "nope.jsonl")
    assert missing.exit_code == 1
    (tmp_path / "bad.jsonl").write_text("{}\n")
    empty = run(tmp_path / "bad.jsonl")
    assert empty.exit_code == 1
    assert "no events" in empty.stderr
