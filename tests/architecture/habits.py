"""Habits that a linter does not know: empty `__init__.py`, no circles hidden in functions, no sleeps in tests."""

import ast
from collections.abc import Collection

from tests.architecture.names import dotted, imported_names

Finding = tuple[int, str]

SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep", "gevent.sleep"})


def code_in_init(source: str) -> list[Finding]:
    """Statements of an `__init__.py` that are more than a docstring, imports and `__all__`.

    >>> code_in_init('"Doc."' + "\\nfrom a import b\\n__all__ = ['b']\\nx = 1")
    [(4, 'Assign')]
    """
    found = []
    for node in ast.parse(source).body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                continue
        found.append((node.lineno, type(node).__name__))
    return found


def late_imports(source: str, rooms: Collection[str]) -> list[Finding]:
    """Imports of our own rooms inside functions: the usual way to hide a circle.

    >>> late_imports("def f():\\n    import time\\n    from streams import topics", {"streams"})
    [(3, 'streams')]
    """
    found = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = ["." * node.level + (node.module or "")]
            else:
                continue
            found |= {(node.lineno, module) for module in modules if module.split(".")[0] in {*rooms, ""}}
    return sorted(found)


def sleeps(source: str) -> list[Finding]:
    """Calls that let time pass; `asyncio.sleep(0)`, which only yields, is none.

    >>> sleeps("from time import sleep as nap\\nnap(1)\\nimport asyncio\\nasyncio.sleep(0)")
    [(2, 'time.sleep')]
    """
    tree = ast.parse(source)
    names = imported_names(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func, names)) in SLEEPS:
            yields = (
                name == "asyncio.sleep"
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and node.args[0].value == 0
            )
            if not yields:
                found.append((node.lineno, name))
    return sorted(found)
