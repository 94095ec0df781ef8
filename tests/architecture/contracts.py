"""The import contracts of pyproject.toml, for the rooms that have content.

import-linter refuses a root package that does not exist. The contracts are written once for the finished house, and
what concerns a room without content is left out until the room is there.

    python -m tests.architecture.contracts [ROOT]      # what `make check` runs
"""

import contextlib
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.rooms import PYPROJECT, ROOT, declared, present

Contract = dict[str, Any]


def narrowed(contract: Contract, all_rooms: Iterable[str], rooms: Iterable[str]) -> Contract | None:
    """The contract without absent rooms, or None when nothing of it is left to check.

    >>> narrowed({"type": "layers", "layers": ["b | c", "a"]}, "abc", "ab")
    {'type': 'layers', 'layers': ['b', 'a']}
    >>> narrowed({"type": "forbidden", "source_modules": ["c"], "forbidden_modules": ["time"]}, "abc", "ab") is None
    True
    """
    absent = set(all_rooms) - set(rooms)

    def kept(names: Iterable[str]) -> list[str]:
        return [name for name in names if name.strip().split(".")[0] not in absent]

    narrow = dict(contract)
    if contract["type"] == "layers":
        narrow["layers"] = [" | ".join(row) for layer in contract["layers"] if (row := kept(layer.split(" | ")))]
    else:
        for field in ("source_modules", "forbidden_modules"):
            narrow[field] = kept(contract[field])
            if not narrow[field]:
                return None
    if "ignore_imports" in contract:
        narrow["ignore_imports"] = [row for row in contract["ignore_imports"] if len(kept(row.split(" -> "))) == 2]
    return narrow


def configuration(rooms: Iterable[str]) -> str:
    """import-linter's configuration for these rooms, as TOML."""
    rooms = tuple(rooms)
    settings = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]
    lines = ["[tool.importlinter]", f"root_packages = {list(rooms)!r}", "include_external_packages = true"]
    for contract in settings["contracts"]:
        kept = narrowed(contract, declared(), rooms)
        if kept is not None:
            lines += [
                "",
                "[[tool.importlinter.contracts]]",
                *(f"{name} = {_toml(value)}" for name, value in kept.items()),
            ]
    return "\n".join(lines)


def run(root: Path = ROOT) -> bool:
    """Whether every contract that concerns the rooms at `root` is kept; import-linter prints what it finds."""
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(root):  # import-linter looks where it stands
        config = Path(directory, "contracts.toml")
        config.write_text(configuration(present(root)))
        return bool(lint_imports(config_filename=str(config), no_cache=True) == EXIT_STATUS_SUCCESS)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


if __name__ == "__main__":
    sys.exit(0 if run(*map(Path, sys.argv[1:])) else 1)
