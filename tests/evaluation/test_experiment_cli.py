"""`attune experiment` from the outside: start, decisions and outcomes as a log, status, stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from attune.cli.main import app
from processors.experiment import Experiment, arm_of

pytestmark = pytest.mark.slow

DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATTUNE_STATE_DIR", str(tmp_path / "state"))


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["experiment", *map(str, arguments)])


def log(path: Path, experiment: Experiment, people: int, skip: str = "", wrong: bool = False) -> Path:
    """Everybody gets a digest; those of the treatment apply three times as often. `skip`: two fifths of an arm fail."""
    rows: list[dict[str, Any]] = [{"topic": "items", "key": "i", "value": {"item_id": "i"}}]
    for n in range(people):
        user, arm = f"u{n}", arm_of(experiment, f"u{n}")
        if arm == skip and n % 5 < 2:
            continue
        at = experiment.started_ms + n * 1_000
        shown = "hour:control" if wrong else f"slate:wide hour:{arm}"
        digest = {"digest_id": f"d{n}", "user_id": user, "due_ms": at, "arm": shown, "campaign": "digest"}
        rows.append({"topic": "digests", "key": user, "value": digest})
        if n % 10 < (3 if arm == "treatment" else 1):
            value = {"event_id": f"a{n}", "user_id": user, "item_id": "i", "ts_ms": at + 5}
            rows.append({"topic": "applies", "key": user, "value": value})
    last = {"event_id": "z", "user_id": "z", "item_id": "i", "ts_ms": experiment.started_ms + 9 * DAY_MS}
    rows.append({"topic": "views", "key": "z", "value": last})
    path.write_text("not json\n" + "".join(json.dumps(row) + "\n" for row in reversed(rows)))
    return path


def started(*options: str) -> Experiment:
    done = run("start", "hour", "--json", *options)
    assert done.exit_code == 0, done.output
    defined = json.loads(done.stdout)
    return Experiment(**defined)


def test_from_start_to_stop(tmp_path: Path) -> None:
    experiment = started("--holdout", "0.1")
    file = log(tmp_path / "log.jsonl", experiment, 3_000)
    shown = run("status", "hour", file, "--json")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert found["running"]
    assert set(found["arms"]) == {"control", "treatment", "holdout"}
    assert found["arms"]["treatment"]["comparison"]["winner"] == "treatment"
    assert found["arms"]["holdout"]["comparison"]["winner"] is None
    assert not found["split_alarm"]
    assert "treatment" in run("status", "hour", file).output
    assert run("stop", "hour").exit_code == 0
    assert run("start", "hour").exit_code == 1  # a name is used once


def test_a_broken_split_and_wrong_arms_end_with_1(tmp_path: Path) -> None:
    experiment = started()
    broken = run("status", "hour", log(tmp_path / "a.jsonl", experiment, 3_000, skip="treatment"))
    assert broken.exit_code == 1
    assert "split" in broken.stderr
    wrong = run("status", "hour", log(tmp_path / "b.jsonl", experiment, 300, wrong=True), "--json")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["misassigned"] > 100


def test_arms_switch_fields_of_the_pack() -> None:
    switches = ("--switch", "treatment:freshness_half_life_d=3", "--switch", "treatment:scores.text=2.5")
    assert started(*switches).packs == {"treatment": {"freshness_half_life_d": 3, "scores": {"text": 2.5}}}
    for wrong in ("treatment:models=blend", "treatment:nonsense=1"):
        refused = run("start", "other", "--switch", wrong)
        assert refused.exit_code == 1
        assert wrong.partition(":")[2].partition("=")[0] in refused.output + refused.stderr
    for wrong in ("nobody:list_size=3", "list_size=3"):
        assert run("start", "other", "--switch", wrong).exit_code == 2


def test_an_experiment_of_the_settings_is_looked_at_here_and_stopped_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "attune.toml").write_text('[[experiments]]\nname = "hour"\narms = { control = 0.5, treatment = 0.5 }\n')
    monkeypatch.setenv("ATTUNE_CONFIG", str(tmp_path / "attune.toml"))
    defined = Experiment(name="hour", arms={"control": 0.5, "treatment": 0.5})
    assert run("status", "hour", log(tmp_path / "log.jsonl", defined, 300)).exit_code == 0
    stopped = run("stop", "hour")
    assert stopped.exit_code == 1
    assert "stopped_ms" in stopped.output + stopped.stderr
    assert run("start", "hour").exit_code == 1


def test_what_cannot_be_done_says_so(tmp_path: Path) -> None:
    assert run("stop", "nope").exit_code == 1
    assert run("start", "x", "--arms", "a=0.5,b=0.6").exit_code == 2
    assert run("start", "x", "--arms", "a=half,b=half").exit_code == 2
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "experiments.json").write_text("{")
    assert run("stop", "x").exit_code == 1
