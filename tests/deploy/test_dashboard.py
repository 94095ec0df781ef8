"""The dashboard is the generated one, asks only for what is measured, and shows all of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.metric_table import METRICS, SERIES
from serving.grafana import ROWS, SOURCE, rendered
from tests.architecture.rooms import ROOT
from tests.deploy.queries import names_in
from tests.deploy.test_alerts import RECORDED, RULES

GRAFANA = ROOT / "deploy" / "grafana"
QUERIES = [query for _, row in ROWS for panel in row for query, _ in panel.queries]


def test_the_committed_file_is_the_generated_one() -> None:
    committed = (GRAFANA / "dashboards" / "attune.json").read_text()
    assert committed == rendered(), "python -m serving.grafana > deploy/grafana/dashboards/attune.json"


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_names_what_exists(query: str) -> None:
    asked = names_in(query)
    assert asked
    assert asked <= set(SERIES) | RECORDED


def test_everything_measured_is_shown() -> None:
    shown = {name for query in QUERIES for name in names_in(query)}
    recorded = {name for rule in RULES if rule.get("record") in shown for name in names_in(rule["expr"])}
    unseen = {metric.name for metric in METRICS.values() if not set(metric.series) & (shown | recorded)}
    assert unseen == set()


def test_promql_parses(tmp_path: Path) -> None:
    plain = [query.replace("$group", ".*").replace("$topic", ".*") for query in QUERIES]

    def checked(queries: list[str]) -> int:
        rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries)]
        file = tmp_path / "rules.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        return subprocess.run(["promtool", "check", "rules", file], capture_output=True, check=False).returncode

    assert checked(plain) == 0
    assert checked([*plain, "sum by (group kafka_consumergroup_lag"]) != 0


def test_panels_do_not_overlap_and_have_the_provisioned_source() -> None:
    dashboard: dict[str, Any] = json.loads(rendered())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "attune.yml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == (SOURCE["type"], SOURCE["uid"])
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "attune.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
