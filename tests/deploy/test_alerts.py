"""Every alert fires in time, and keeps silent on a deploy and on an idle night; each has its page of the runbook.

The cases are promtool's own, in `alerts/`: one file an alert, `deploy.yml` and `idle_night.yml` for all.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.metric_table import SERIES
from tests.architecture.rooms import ROOT
from tests.deploy.queries import names_in

CASES = Path(__file__).parent / "alerts"
RULES_FILE = ROOT / "deploy" / "prometheus" / "attune.rules.yml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES_FILE.read_text())["groups"] for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((CASES / f"{name}.yml").read_text())["tests"]
    return found


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, cwd=CASES)


def test_the_rules_and_the_configuration_are_valid() -> None:
    for done in (
        promtool("check", "rules", RULES_FILE),
        promtool("check", "config", "--syntax-only", RULES_FILE.parent / "prometheus.yml"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr


def test_all_cases_hold() -> None:
    done = promtool("test", "rules", *sorted(CASES.glob("*.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_never_fires_is_caught(tmp_path: Path) -> None:
    deaf = RULES_FILE.read_text().replace("partition_status >= 3", "partition_status >= 5")
    (tmp_path / "deaf.yml").write_text(deaf)
    case = (CASES / "PartitionStands.yml").read_text()
    (tmp_path / "case.yml").write_text(re.sub(r"rule_files: .*", "rule_files: [deaf.yml]", case))
    assert promtool("test", "rules", tmp_path / "case.yml").returncode != 0


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_seen_to_fire_and_to_be_silent(name: str) -> None:
    checks = [check for case in cases(name) for check in case["alert_rule_test"]]
    assert {check["alertname"] for check in checks} == {name}
    assert any(check["exp_alerts"] for check in checks)
    assert any(not check["exp_alerts"] for check in checks)


@pytest.mark.parametrize("night", ["deploy", "idle_night"])
def test_the_quiet_cases_are_about_every_alert(night: str) -> None:
    (case,) = cases(night)
    assert {check["alertname"] for check in case["alert_rule_test"]} == set(ALERTS)
    assert not any(check["exp_alerts"] for check in case["alert_rule_test"])
    fed = {name for series in case["input_series"] for name in names_in(series["series"])}
    asked = {name for rule in RULES for name in names_in(rule["expr"])} - RECORDED
    assert asked <= fed, "silence means nothing where a rule has no data"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_metrics_of_the_table(rule: dict[str, Any]) -> None:
    asked = names_in(rule["expr"])
    assert asked
    assert asked <= set(SERIES) | RECORDED


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_has_its_page(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    page = (ROOT / rule["annotations"]["runbook"]).read_text()
    headings = re.findall(r"^\*\*(.+?)\.\*\*", page, re.MULTILINE)
    assert headings == ["What it means", "First three commands", "How to mend", "How to confirm"]
    commands = page.partition("**First three commands.**")[2].partition("**How to mend.**")[0]
    assert len(re.findall(r"^    \$ ", commands, re.MULTILINE)) == 3
