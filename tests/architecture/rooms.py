"""The rooms of the house and the files in them: what every architecture test walks over."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT / "pyproject.toml"


def declared() -> tuple[str, ...]:
    """All rooms there will be, as import-linter's configuration names them."""
    names: list[str] = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["root_packages"]
    return tuple(names)


def present(root: Path = ROOT) -> tuple[str, ...]:
    """The rooms that have content. A room gets its directory with its first file."""
    return tuple(room for room in declared() if (root / room / "__init__.py").exists())


def python_files(*names: str) -> Iterator[Path]:
    """Every Python file under the named directories of the project, in order."""
    for name in names:
        yield from sorted((ROOT / name).rglob("*.py"))


def shown(path: Path) -> str:
    """A path as messages show it: from the project's root."""
    return path.relative_to(ROOT).as_posix()
