"""What a name in a source file stands for: `from time import time as now` makes `now` stand for `time.time`."""

import ast


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Local name → dotted origin, for every import anywhere in the file.

    >>> imported_names(ast.parse("import numpy as np; from time import time as now; import os.path"))
    {'np': 'numpy', 'now': 'time.time', 'os': 'os'}
    """
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The full dotted name of an expression such as `np.random.rand`, or "" when it is none.

    A name that is not imported stands for itself, so that built-in functions can be told.

    >>> dotted(ast.parse("np.random.rand", mode="eval").body, {"np": "numpy"})
    'numpy.random.rand'
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])
