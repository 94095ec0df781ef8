"""Habits kept all over the project, each with a snippet that breaks it."""

import pytest

from tests.architecture.habits import code_in_init, late_imports, sleeps
from tests.architecture.length import excused, findings, too_long
from tests.architecture.rooms import declared, python_files, shown


def test_init_files_hold_no_code() -> None:
    files = [path for path in python_files(*declared()) if path.name == "__init__.py"]
    assert files
    assert {shown(path): found for path in files if (found := code_in_init(path.read_text()))} == {}


@pytest.mark.parametrize("source", ["x = 1", "def f(): ...", "for x in y: z()", "import a\na.setup()", "class A: ..."])
def test_code_in_an_init_file_is_caught(source: str) -> None:
    assert code_in_init(source) != []


def test_no_import_hides_a_circle() -> None:
    """`attune/cli` is free to import late: `attune --help` must not load Faust and NumPy."""
    files = [path for path in python_files(*declared()) if not shown(path).startswith("attune/cli/")]
    assert {shown(path): found for path in files if (found := late_imports(path.read_text(), declared()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import streams.topics",
        "async def f():\n    from processors import pipeline",
        "class A:\n    def f(self):\n        if self:\n            from . import other",
    ],
)
def test_an_import_in_a_function_is_caught(source: str) -> None:
    assert late_imports(source, declared()) != []


def test_tests_do_not_sleep() -> None:
    """They wait for a condition, or let a fault's length pass: `eventually`, `let_pass` in integration/waiting.py."""
    assert {shown(path): found for path in python_files("tests") if (found := sleeps(path.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep\nsleep(0.1)",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
        "import time as t\ndef test():\n    t.sleep(n)",
    ],
)
def test_a_sleep_is_caught(source: str) -> None:
    assert sleeps(source) != []


def test_no_file_is_long_without_a_reason() -> None:
    assert findings() == []


def test_a_long_file_and_an_idle_excuse_are_caught() -> None:
    assert too_long({"a.py": 401}, {}) == ["a.py: 401 lines (limit 400)"]
    assert too_long({"a.py": 401}, excused(["- `a.py`: one table"])) == []
    assert too_long({"a.py": 400}, excused(["- `a.py`: one table"])) != []
