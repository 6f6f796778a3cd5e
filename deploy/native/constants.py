"""Makes the constants of a source `Final`: compiled code then reads them without a look into the module's names."""

import ast
import re

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_IMPORT = "from typing import Final; "


def with_finals(text: str) -> str:
    """Return a module whose names in capitals are `Final`; each line stays where it is."""
    lines = text.splitlines()
    first = True
    for node in ast.parse(text).body:
        told = _declared(node, lines[node.lineno - 1])
        if told is not None:
            lines[node.lineno - 1] = (_IMPORT if first else "") + told
            first = False
    return "\n".join([*lines, ""])


def _declared(node: ast.stmt, line: str) -> str | None:
    """Return the first line of a statement that gives constants their values; None of any other."""
    if isinstance(node, ast.AnnAssign) and _are_constants(node.target) and node.value:
        kind = ast.unparse(node.annotation)
        return None if kind.startswith("Final") else line.replace(f": {kind} =", f": Final[{kind}] =", 1)
    if not isinstance(node, ast.Assign) or not _are_constants(*node.targets) or _is_type(node.value):
        return None
    target = node.targets[0]
    if isinstance(target, ast.Name):
        return line.replace(" =", ": Final =", 1)
    assert isinstance(target, ast.Tuple)
    if not isinstance(node.value, ast.Tuple) or node.end_lineno != node.lineno:
        return None
    pairs = zip(target.elts, node.value.elts, strict=True)
    return "; ".join(f"{ast.unparse(name)}: Final = {ast.unparse(value)}" for name, value in pairs)


def _are_constants(*targets: ast.expr) -> bool:
    names = [name for target in targets for name in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return len(targets) == 1 and all(isinstance(name, ast.Name) and _CONSTANT.fullmatch(name.id) for name in names)


def _is_type(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "TypeVar"
