"""Worlds of strangers run unchanged, and what breaks the protocol is named."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from attune.cli.main import app
from evaluation.policies.audience import Audience
from evaluation.policies.policy import POLICIES
from evaluation.world_records import WorldError
from evaluation.world_run import WorldRun
from processors.pack import Pack
from tests.evaluation.strange_worlds import Bazaar, Kiosk

pytestmark = pytest.mark.slow

HERE = "tests.evaluation.strange_worlds"


def simulate(tmp_path: Path, world: str, *arguments: str) -> Any:
    size = ["--users", "6", "--processes", "1", "--domain", "shop", "--resume", str(tmp_path / "runs")]
    return CliRunner().invoke(app, ["simulate", "--world", f"{HERE}:{world}", *size, *arguments])


def test_a_kiosk_that_knows_hardly_anything(tmp_path: Path) -> None:
    names = ",".join(name for name in POLICIES if not name.startswith("oracle"))
    result = simulate(tmp_path, "Kiosk", "--days", "1", "--seeds", "3", "--policy", names, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["policies"]
    for policy, figures in found.items():
        assert figures["clicks"]["mean"] == figures["mails"]["mean"], policy  # mails: counted by the runner
        assert figures["slates"]["mean"] > 0
        assert figures["cohort.everybody.clicks"]["mean"] == figures["clicks"]["mean"]
    assert found["always-send"]["mails"]["mean"] > 0


def test_a_world_is_found_where_the_command_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stall_of_mine.py").write_text("from tests.evaluation.strange_worlds import Bazaar as Stall\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    asked = ("--users", "5", "--days", "1", "--seeds", "1", "--policy", "listing-10h", "--json")
    result = CliRunner().invoke(app, ["simulate", "--world", "stall_of_mine:Stall", *asked])
    assert result.exit_code == 0, result.output


def test_a_world_without_truth_has_no_oracle(tmp_path: Path) -> None:
    result = simulate(tmp_path, "Kiosk", "--days", "1", "--seeds", "1", "--policy", "oracle")
    assert result.exit_code == 1
    assert "Kiosk has no truth()" in result.stderr


def test_a_bazaar_where_all_happens_at_once(tmp_path: Path) -> None:
    result = simulate(tmp_path, "Bazaar", "--days", "4", "--seeds", "1,2", "--policy", "all", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["policies"]
    assert set(found) == set(POLICIES)
    assert all(figures["happiness"]["mean"] == 0.5 for figures in found.values())
    assert found["always-send"]["mails"]["mean"] > 3


def lived(world: Any, days: int = 2) -> dict[str, float]:
    audience = Audience()
    policy = POLICIES["listing-10h"](world, Pack(name="shop"), audience)
    return WorldRun(world, policy, audience, days).finish()


def view(at: float, event_id: str = "e7", **more: Any) -> dict[str, Any]:
    value = {"event_id": event_id, "user_id": "u9", "item_id": "i1", "ts_ms": at, **more}
    return {"topic": "views", "key": "u9", "value": value}


START = int(Kiosk.start_ms)


@pytest.mark.parametrize(
    ("records", "says"),
    [
        (
            [view(START + 9), view(START + 5)],
            rf"views record 'e7' of 'u9' is of {START + 5}, but {START + 9} was reached",
        ),
        ([view(START - 1)], r"'e7' of 'u9' .* was reached"),
        ([view(START + 9 * 86_400_000)], r"'e7' of 'u9' .* not before"),
        ([view(START, dwell_ms="long")], r"bad views record of 'u9': \$\.dwell_ms"),
        ([{**view(START), "key": 9}], "whose key is 9"),
        ([{**view(START), "topic": "vews"}], "'vews', which is no input topic"),
        ([{"topic": "views", "key": "u9"}], "dict of topic, key and value"),
        ([("views", "u9", {})], "dict of topic, key and value"),
        ([view(START, dwell_ms=object())], "object is nothing that JSON can say"),
        ([view(float("nan"))], r"bad views record of 'u9': \$\.ts_ms"),
        ([{**view(START), "value": None}], "null value"),
        ([{**view(START), "key": "somebody"}], "is not the user_id"),
    ],
)
def test_a_record_that_breaks_the_protocol_is_named(records: list[Any], says: str) -> None:
    world = Kiosk(1, 3, 2)
    world.advance = lambda until_ms, slate: records  # type: ignore[method-assign]
    with pytest.raises(WorldError, match=says):
        lived(world)


def test_history_ends_where_the_world_begins() -> None:
    world = Kiosk(1, 3, 2)
    world.history = lambda: (view(START),)  # type: ignore[assignment]
    with pytest.raises(WorldError, match=f"not before {START}"):
        lived(world)


@pytest.mark.parametrize(
    "wrong", [{"clicks": None}, {"clicks": "many"}, {"clicks": float("nan")}, {"deep": {"a": 1}}, {3: 1}]
)
def test_outcomes_that_are_no_numbers_are_named(wrong: dict[Any, Any]) -> None:
    world = Kiosk(1, 3, 2)
    world.outcomes = lambda: wrong  # type: ignore[method-assign]
    with pytest.raises(WorldError, match="outcomes must be finite numbers"):
        lived(world)


@pytest.mark.parametrize(
    ("name", "says"), [(f"{HERE}:HOUR_MS", "is no class"), ("json:JSONDecoder", "has no catalogue")]
)
def test_what_is_no_world_is_wrong_usage(tmp_path: Path, name: str, says: str) -> None:
    result = CliRunner().invoke(app, ["simulate", "--world", name, "--resume", str(tmp_path / "runs")])
    assert result.exit_code == 2
    assert says in re.sub(r"[│\s]+", " ", result.stderr)


def test_a_bazaar_lives_with_four_people_for_a_day() -> None:
    assert lived(Bazaar(1, 4, 1), 1)["happiness"] == 0.5
