"""The README names what there is: every setting, every command, every file it leads to."""

import re
from pathlib import Path

import typer.main

from attune.cli.main import app
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SETTINGS = README.partition("## On your own Kafka")[2].partition("A Kafka that wants")[0]
COMMANDS = README.partition("## Commands")[2].partition("## Working on it")[0]


def first_cells(section: str) -> list[str]:
    """Words in backticks in the first cell of each row of a table."""
    rows = re.findall(r"^\| (`.*?) \| ", section, re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def test_every_setting_is_there_and_no_other() -> None:
    named = {word for word in first_cells(SETTINGS) if not word.startswith("[")}
    assert named - {"attune …"} == set(Settings.__struct_fields__) - {"kafka", "packs", "experiments", "sabotage"}


def test_names_in_the_environment_are_those_that_are_read() -> None:
    named = set(re.findall(r"ATTUNE_([A-Z_]+)", SETTINGS)) - {"CONFIG"}
    assert {name.lower() for name in named} <= set(Settings.__struct_fields__)


def test_every_command_is_there_and_no_other() -> None:
    named = {word.split()[0] for word in first_cells(COMMANDS)} - {"attune"}
    group = typer.main.get_command(app)
    assert named == set(group.commands)  # type: ignore[attr-defined]


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_figures_wait_between_their_marks() -> None:
    figures = README.partition("<!-- figures")[2].partition("<!-- end of figures -->")[0]
    assert figures.count("`make bench`") >= 5
