"""`processors/` and `schemas/` are pure, and the test that says so can tell."""

import ast
import sys
from pathlib import Path

import pytest

from tests.architecture.purity import impurities
from tests.architecture.rooms import python_files, shown

BAD = {
    "clock": "import time\nnow = time.time()",
    "clock by another name": "from time import monotonic as tick",
    "datetime": "from datetime import datetime as dt\nx = dt.now()",
    "datetime through its module": "import datetime\nx = datetime.datetime.utcnow()",
    "today": "from datetime import date\nx = date.today()",
    "a clock as a default": "from datetime import datetime\ndef f(now=datetime.now): ...",
    "global random": "import random\nx = random.random()",
    "global random imported": "from random import choice",
    "unseeded": "import random\nrng = random.Random()",
    "numpy's global": "import numpy as np\nnp.random.seed(1)",
    "numpy's global imported": "from numpy.random import rand",
    "numpy's global through its module": "from numpy import random as nr\nnr.shuffle([1])",
    "numpy unseeded": "import numpy as np\nrng = np.random.default_rng()",
    "uuid4": "import uuid\nx = uuid.uuid4()",
    "file": "open('x')",
    "path": "from pathlib import Path",
    "environment": "import os\nos.environ['X']",
    "socket": "import socket",
    "logging": "import logging",
    "print": "print(1)",
    "pickle": "import pickle",
    "eval": "eval('1')",
    "hash": "x = hash('u1') % 8",
    "inside a function": "def f():\n    import time\n    return time.time()",
}

GOOD = {
    "types": "import numpy as np\nfrom random import Random\ndef f(rng: np.random.Generator, other: Random): ...",
    "a generator's own draw": "def f(rng): return rng.random()",
    "seeded": "import numpy as np\nrng = np.random.default_rng(7)",
    "seeded by hand": "import random\nrng = random.Random(7)",
    "time as data": "from datetime import datetime, UTC\nx = datetime.fromtimestamp(0, UTC)",
    "a method called now": "def f(clock): return clock.now()",
    "name-based uuid": "import uuid\nx = uuid.uuid5(uuid.NAMESPACE_URL, 'x')",
    "hash of a value": "class A:\n    def __hash__(self): return hash((1, 2))",
}


@pytest.mark.parametrize("path", list(python_files("schemas", "processors")), ids=shown)
def test_pure_rooms_are_pure(path: Path) -> None:
    assert impurities(path.read_text()) == []


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
def test_an_impurity_is_caught(source: str) -> None:
    assert impurities(source) != []


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
def test_what_is_allowed_passes(source: str) -> None:
    assert impurities(source) == []


def foreign(source: str) -> set[str]:
    """Packages a schemas file imports beside msgspec, the standard library and its own room."""
    allowed = {"msgspec", "schemas", *sys.stdlib_module_names}
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found - allowed


def test_schemas_knows_msgspec_and_nothing_else() -> None:
    assert {shown(path): extra for path in python_files("schemas") if (extra := foreign(path.read_text()))} == {}


def test_a_further_library_in_schemas_is_caught() -> None:
    assert foreign("import msgspec, json\nfrom pydantic.fields import Field\nimport streams.topics") == {
        "pydantic",
        "streams",
    }
