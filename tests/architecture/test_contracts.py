"""The arrows between rooms, and proof that a wrong arrow is seen."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rooms import PYPROJECT, ROOT, declared, present

BAD_ARROWS = {
    "schemas/bad.py": "import processors.good",
    "schemas/heavy.py": "import numpy",
    "processors/bad.py": "import streams.good",
    "processors/clock.py": "from time import time",
    "processors/kafka.py": "from confluent_kafka import Producer",
    "streams/bad.py": "import attune.good",
    "streams/topics.py": "import faust",
    "serving/bad.py": "import streams.good",
    "serving/faust.py": "from faust import App",
    "simulation/bad.py": "from processors import good",
    "evaluation/bad.py": "from streams import topics",
    "attune/bad.py": "import faust",
}


def lint(root: Path) -> tuple[int, str]:
    """Check the contracts of the house that stands at `root`."""
    command = [sys.executable, "-m", "tests.architecture.contracts", str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house with every room, one innocent file in each."""
    for room in declared():
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
        (tmp_path / room / "good.py").touch()
    (tmp_path / "streams" / "topics.py").touch()
    return tmp_path


def test_all_contracts_are_kept() -> None:
    code, said = lint(ROOT)
    assert code == 0, said
    assert " 0 broken" in said


def test_every_room_with_files_is_a_package_and_so_is_checked() -> None:
    with_files = {room for room in declared() if any((ROOT / room).rglob("*.py"))}
    assert with_files == set(present()), "a room without __init__.py escapes its contracts"


def test_there_is_no_room_that_no_contract_knows() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(declared()) | {"benchmarks"}
    shipped = next(line for line in PYPROJECT.read_text().splitlines() if line.startswith("packages ="))
    assert all(f'"{room}"' in shipped for room in declared())


def test_an_innocent_house_passes(house: Path) -> None:
    (house / "serving" / "fine.py").write_text("from streams import topics\n")
    (house / "attune" / "fine.py").write_text("import streams.good, serving.good, evaluation.good\n")
    code, said = lint(house)
    assert code == 0, said
    assert "8 kept" in said


def test_rooms_may_be_absent(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "__init__.py").touch()
    code, said = lint(tmp_path)
    assert code == 0, said


@pytest.mark.slow
@pytest.mark.parametrize("path", BAD_ARROWS)
def test_a_wrong_arrow_is_caught(house: Path, path: str) -> None:
    (house / path).write_text(BAD_ARROWS[path] + "\n")
    code, said = lint(house)
    assert code == 1, said
    assert "BROKEN" in said
