"""What decides does not know what it is judged by: no parameter of the pipeline or of a policy is one of the worlds."""

import ast

from tests.architecture.names import imported_names
from tests.architecture.parameters import of_files, parameters
from tests.architecture.rooms import ROOT, python_files

UNITS = {"day_ms", "hour_ms"}
"""Lengths of time are the same everywhere."""
JUDGES = {"policy.py", "oracle.py"}
"""These see a world: the table of policies hands it to the oracles."""


def test_parameter_names_of_processors_and_simulation_do_not_meet() -> None:
    deciding, judging = of_files(list(python_files("processors"))), of_files(list(python_files("simulation")))
    assert len(deciding) > 60
    assert len(judging) > 30
    assert {name: (deciding[name], judging[name]) for name in (deciding.keys() & judging.keys()) - UNITS} == {}


def test_parameter_names_of_policies_and_simulation_do_not_meet() -> None:
    files = [path for path in (ROOT / "evaluation" / "policies").glob("*.py") if path.name not in JUDGES]
    deciding, judging = of_files(files), of_files(list(python_files("simulation")))
    assert "known_from" in deciding
    assert {name: (deciding[name], judging[name]) for name in (deciding.keys() & judging.keys()) - UNITS} == {}


def test_no_policy_but_an_oracle_sees_a_world() -> None:
    seen = {
        path.name
        for path in (ROOT / "evaluation" / "policies").glob("*.py")
        for origin in imported_names(ast.parse(path.read_text())).values()
        if origin.startswith("simulation")
    }
    assert seen == JUDGES


def test_a_name_that_both_have_is_noticed() -> None:
    world = parameters(ast.parse("_AGAIN_LAG_H, _AGAIN_SIGMA = 2.2, 1.4"))
    model = parameters(ast.parse("class Pack:\n    again_sigma: float = 1.4"))
    assert world & model == {"again_sigma"}
