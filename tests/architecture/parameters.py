"""The numbers a source file is tuned by: named constants and fields that have a number for a default."""

import ast
from pathlib import Path


def parameters(tree: ast.Module) -> set[str]:
    """Names, without leading underscores and in small letters, of all that is set to a number or a tuple of numbers.

    >>> sorted(parameters(ast.parse("_HALF_LIFE_D: float = 3.0; WIDTHS = (1, 2.5 * 2); NAME = 'x'; class_ = int")))
    ['half_life_d', 'widths']
    >>> parameters(ast.parse("class Pack:\\n    list_size: int = 10\\n    name: str"))
    {'list_size'}
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                found |= _set_to_numbers(statement)
    return found


def of_files(files: list[Path]) -> dict[str, str]:
    """Parameter → the file that has it."""
    return {name: path.name for path in files for name in parameters(ast.parse(path.read_text()))}


def _set_to_numbers(statement: ast.stmt) -> set[str]:
    pairs: list[tuple[ast.expr, ast.expr]]
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        pairs = [(statement.target, statement.value)]
    elif isinstance(statement, ast.Assign):
        pairs = [(target, statement.value) for target in statement.targets]
    else:
        return set()
    found: set[str] = set()
    for target, value in pairs:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            found |= {_named(one) for one, two in zip(target.elts, value.elts, strict=True) if _is_number(two)}
        elif isinstance(target, ast.Name) and _is_number(value):
            found.add(_named(target))
    return found


def _named(node: ast.expr) -> str:
    return node.id.strip("_").lower() if isinstance(node, ast.Name) else ast.unparse(node)


def _is_number(node: ast.expr) -> bool:
    """A literal number, arithmetic on such, or a tuple of them."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(operand=operand):
            return _is_number(operand)
        case ast.BinOp(left=left, right=right):
            return _is_number(left) and _is_number(right)
        case ast.Tuple(elts=elements):
            return bool(elements) and all(map(_is_number, elements))
        case _:
            return False
