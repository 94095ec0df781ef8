"""What `processors/` and `schemas/` must not do: read a clock, draw from shared randomness, or touch the world.

Time arrives as `now_ms`, randomness as `rng`; only then do replay, simulation and production agree to the bit.
"""

import ast

from tests.architecture.names import dotted, imported_names

FORBIDDEN_MODULES = {
    **dict.fromkeys(("time",), "reads the clock"),
    **dict.fromkeys(("secrets",), "global randomness"),
    **dict.fromkeys(
        (
            *(
                "asyncio",
                "concurrent",
                "ftplib",
                "glob",
                "http",
                "io",
                "logging",
                "multiprocessing",
                "os",
                "pathlib",
                "pickle",
            ),
            *("shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading"),
            *("shelve", "importlib", "urllib.request", "gzip"),
        ),
        "does I/O or leaves the process",
    ),
}

FORBIDDEN_NAMES = {
    "datetime.datetime.now": "reads the clock",
    "datetime.datetime.utcnow": "reads the clock",
    "datetime.datetime.today": "reads the clock",
    "datetime.date.today": "reads the clock",
    "uuid.uuid1": "reads the clock",
    "uuid.uuid4": "global randomness",
    "numpy.save": "does I/O",
    "numpy.load": "does I/O",
    "numpy.memmap": "does I/O",
    "open": "does I/O",
    "print": "does I/O",
    "input": "does I/O",
    "breakpoint": "does I/O",
    "eval": "runs text as code",
    "exec": "runs text as code",
}

SEEDED = frozenset({"random.Random", "numpy.random.default_rng", "numpy.random.PCG64", "numpy.random.SeedSequence"})
"""Sources of randomness that are allowed when they are given a seed; without one they ask the operating system."""

TYPES = frozenset({"numpy.random.Generator", "numpy.random.BitGenerator"})

Finding = tuple[int, str]


def impurities(source: str) -> list[Finding]:
    """What a source file does that a pure one must not: (line, what), in order of lines.

    >>> impurities("from time import time as now\\nx = now()")
    [(1, 'time: reads the clock')]
    >>> impurities("import numpy as np\\nx = np.random.rand()\\ny = np.random.default_rng(7)")
    [(2, 'numpy.random.rand: global randomness')]
    """
    tree = ast.parse(source)
    names = imported_names(tree)
    found: set[Finding] = set()
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    in_hash = {
        id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and f.name == "__hash__" for n in ast.walk(f)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, what) for alias in node.names if (what := _module(alias.name))}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {
                (node.lineno, what)
                for alias in node.names
                if (what := _module(node.module or "") or _name(f"{node.module}.{alias.name}", None, seen=True))
            }
        elif isinstance(node, ast.Attribute | ast.Name):
            name = dotted(node, names)
            if name == "hash" and id(node) in called and id(node) not in in_hash:
                found.add((node.lineno, "hash: differs from process to process"))
            elif what := _name(name, called.get(id(node))):
                found.add((node.lineno, what))
    return sorted(found)


def _module(name: str) -> str:
    for forbidden, why in FORBIDDEN_MODULES.items():
        if name == forbidden or name.startswith(forbidden + "."):
            return f"{forbidden}: {why}"
    return ""


def _name(name: str, call: ast.Call | None, *, seen: bool = False) -> str:
    """Why a dotted name must not be used, or ""; `seen`: it is only being imported."""
    if name in FORBIDDEN_NAMES:
        return f"{name}: {FORBIDDEN_NAMES[name]}"
    if name in SEEDED:
        unseeded = call is not None and not call.args and not call.keywords
        return f"{name}() without a seed: global randomness" if unseeded else ""
    if name.startswith(("random.", "numpy.random.")) and name not in TYPES:
        return "" if seen and name == "numpy.random" else f"{name}: global randomness"
    return ""
