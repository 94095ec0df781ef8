"""The locks hold what pyproject.toml asks for, with hashes, and name no place to get it from."""

import re
import tomllib

import pytest

from tests.architecture.rooms import PYPROJECT, ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]
PROJECT = tomllib.loads(PYPROJECT.read_text())


def names(requirements: list[object]) -> set[str]:
    """Package names of requirements, without versions."""
    return {re.split(r"[<>=~!\[ ;]", text)[0].lower() for text in requirements if isinstance(text, str)}


RUNTIME = names(PROJECT["project"]["dependencies"])
DEV = names(PROJECT["dependency-groups"]["dev"])
BUILD = names(PROJECT["dependency-groups"]["build"])


@pytest.mark.parametrize(("lock", "wanted"), list(zip(LOCKS, [RUNTIME, RUNTIME | DEV | BUILD, BUILD], strict=True)))
def test_a_lock_holds_what_is_asked_for(lock: str, wanted: set[str]) -> None:
    text = (ROOT / lock).read_text()
    blocks = re.split(r"\n(?=[a-z])", "\n" + text)[1:]
    assert wanted <= {block.split("==")[0] for block in blocks}
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"https?://|^--(?:index|extra|find)|file:| @ ", text, re.MULTILINE) == []


def test_every_runtime_library_says_what_it_costs() -> None:
    rows = re.findall(r"^\| ([a-z0-9-]+)[ |]", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    assert set(rows) - {"library"} == RUNTIME
