"""`attune simulate` from the outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from attune.cli.main import app
from evaluation import world_runs
from simulation.world import OUTCOMES

pytestmark = pytest.mark.slow


def run(tmp_path: Path, *arguments: object) -> Any:
    small = ["--users", "30", "--days", "2", "--processes", "1", "--resume", str(tmp_path / "runs.jsonl")]
    return CliRunner().invoke(app, ["simulate", *small, *map(str, arguments)])


def test_json_has_the_agreed_form(tmp_path: Path) -> None:
    result = run(tmp_path, "--world", "jobs", "--seeds", "1,2", "--policy", "listing-10h", "oracle", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == {"world", "users", "days", "seeds", "baseline", "policies", "cpu_s"}
    assert (found["world"], found["users"], found["days"], found["seeds"]) == ("jobs", 30, 2, [1, 2])
    assert found["baseline"] == "saved-search-10h"
    assert set(found["policies"]) == {"saved-search-10h", "listing-10h", "oracle"}
    figures = found["policies"]["oracle"]
    assert set(OUTCOMES) <= set(figures)
    assert {f"cohort.{c}.{m}" for c in ("dormant", "returning_caregiver") for m in OUTCOMES} <= set(figures)
    assert "cohort.small_employer.apply_starts" in figures
    assert set(figures["clicks"]) == {"mean", "low", "high", "lift", "lift_low", "lift_high"}
    assert found["cpu_s"] > 0


def test_a_stopped_table_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("--world", "shop", "--seeds", "1", "--policy", "popular-10h", "--json")
    done: list[str] = []
    lived = world_runs.run_one

    def stopped(plan: world_runs.Plan, progress: Any) -> Any:
        if done:
            raise KeyboardInterrupt
        done.append(plan.policy)
        return lived(plan, progress)

    with monkeypatch.context() as patch:
        patch.setattr(world_runs, "run_one", stopped)
        torn = run(tmp_path, *asked)
    assert torn.exit_code == 1
    assert "goes on" in torn.stderr
    resumed = run(tmp_path, *asked)
    assert resumed.exit_code == 0
    assert "1 of 2 runs" in resumed.stderr
    assert set(json.loads(resumed.stdout)["policies"]) == {"saved-search-10h", "popular-10h"}


def test_people_get_tables(tmp_path: Path) -> None:
    result = run(tmp_path, "--world", "shop", "--seeds", "1", "--policy", "popular-10h,attune")
    assert result.exit_code == 0, result.output
    assert "new_parent" in result.output
    assert "repeat_rate_60d" in result.output


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--policy", "nope"], "nightly-batch"),
        (["--world", "mars"], "mars"),
        (["--world", "jobs:nope"], "no-taste"),
        (["--seeds", "one"], "one"),
        (["--baseline", "nope"], "nope"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_names_the_fault(tmp_path: Path, arguments: list[str], names: str) -> None:
    result = run(tmp_path, *arguments)
    assert result.exit_code == 2
    assert names in result.stderr
