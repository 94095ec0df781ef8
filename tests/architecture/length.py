"""No file over 400 lines without a reason in docs/decisions/.

    python -m tests.architecture.length      # what `make check` runs

A reason is a line of any record there that begins with the path in a list: ``- `streams/x.py`: why it is one idea``.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.architecture.rooms import ROOT, declared, present, python_files, shown

LIMIT = 400
REASON = re.compile(r"^- `(?P<path>[\w./-]+\.py)`: (?P<why>\S.*)$", re.MULTILINE)


def excused(records: Iterable[str]) -> dict[str, str]:
    """Path → reason, from the texts of decision records.

    >>> excused(["- `a/b.py`: a table of 500 towns is one idea"])
    {'a/b.py': 'a table of 500 towns is one idea'}
    """
    return {found["path"]: found["why"] for text in records for found in REASON.finditer(text)}


def too_long(lines: Mapping[str, int], reasons: Mapping[str, str], limit: int = LIMIT) -> list[str]:
    """What is wrong: files over the limit without a reason, and reasons that nothing needs any more.

    >>> too_long({"a.py": 401, "b.py": 401, "c.py": 3}, {"b.py": "one table", "c.py": "was long"})
    ['a.py: 401 lines (limit 400)', 'c.py: excused in docs/decisions, but within the limit']
    """
    long = {path for path, count in lines.items() if count > limit}
    wrong = [f"{path}: {lines[path]} lines (limit {limit})" for path in long - set(reasons)]
    idle = [f"{path}: excused in docs/decisions, but within the limit" for path in set(reasons) - long]
    return sorted(wrong) + sorted(idle)


def findings(root: Path = ROOT) -> list[str]:
    """The project's own state."""
    files = python_files(*declared(), "benchmarks", "tests")
    counts = {shown(path): len(path.read_text().splitlines()) for path in files}
    return too_long(counts, excused(path.read_text() for path in sorted((root / "docs" / "decisions").glob("*.md"))))


if __name__ == "__main__":
    wrong = findings()
    print(
        "\n".join(wrong)
        or f"No file over {LIMIT} lines without a reason in {len(present())} rooms, benchmarks and tests."
    )
    sys.exit(1 if wrong else 0)
