"""The example world of the docs runs unchanged through the protocol, and its truth is found by the oracle."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attune.cli.main import app
from simulation.world import World, make_world

DOCS = Path(__file__).parents[2] / "docs"

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    monkeypatch.delitem(sys.modules, "tea_house", raising=False)


def test_it_is_short_and_speaks_the_protocol() -> None:
    assert len((DOCS / "tea_house.py").read_text().splitlines()) <= 60
    world = make_world("tea_house:TeaHouse", 1, 5, 1)
    assert isinstance(world, World)


def test_policies_live_through_it(tmp_path: Path) -> None:
    size = ["--users", "40", "--days", "5", "--seeds", "1,2", "--processes", "1", "--resume", str(tmp_path / "runs")]
    asked = ["--policy", "attune", "always-send", "random-items", "oracle", "--baseline", "listing-10h", "--json"]
    world = ["--world", "tea_house:TeaHouse", "--domain", "shop"]
    result = CliRunner().invoke(app, ["simulate", *world, *size, *asked])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["policies"]
    assert found["oracle"]["mails"]["mean"] == found["listing-10h"]["mails"]["mean"] == 40 * 5
    clicks = {name: figures["clicks"]["mean"] for name, figures in found.items()}
    assert clicks["oracle"] > 2 * clicks["listing-10h"]
    assert clicks["always-send"] > clicks["listing-10h"] > 0
