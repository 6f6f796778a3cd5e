"""Gives each dataclass of a source its `__init__` in plain words.

mypyc leaves the `__init__` that `@dataclass` makes at run time to the interpreter. One that is written down is
compiled, and so is every call of the class; the decorator keeps what is there.
"""

import ast

_EMPTY = {"list": "[]", "dict": "{}", "set": "set()"}


class UnknownDataclassError(Exception):
    """A dataclass has something that no `__init__` is written for; the text names it."""


def with_inits(text: str) -> str:
    """Return a module whose dataclasses have an `__init__`, but for frozen ones and those that have one already.

    It stands on the empty line that follows its class, so that tracebacks name the lines of the source.

    Raises:
        UnknownDataclassError: A dataclass inherits, or has a field of a kind that is not known here.
    """
    lines = [*text.splitlines(), ""]
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and _is_meant(node):
            after = node.end_lineno or 0
            if lines[after].strip():
                raise UnknownDataclassError(f"{node.name} has no empty line after it")
            lines[after] = _init_of(node)
    return "\n".join(lines).rstrip("\n") + "\n"


def _is_meant(owner: ast.ClassDef) -> bool:
    return any(_is_open_dataclass(decorator) for decorator in owner.decorator_list) and not _has(owner, "__init__")


def _has(owner: ast.ClassDef, name: str) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in owner.body)


def _is_open_dataclass(decorator: ast.expr) -> bool:
    if isinstance(decorator, ast.Call):
        options = {option.arg for option in decorator.keywords}
        return _is_open_dataclass(decorator.func) and options.isdisjoint({"frozen", "init", "kw_only"})
    return isinstance(decorator, ast.Name) and decorator.id == "dataclass"


def _init_of(owner: ast.ClassDef) -> str:
    """Return the method in one line; an argument that is None takes what the factory of its field gives."""
    if owner.bases or _has(owner, "__post_init__"):
        raise UnknownDataclassError(f"{owner.name} inherits, or has a __post_init__")
    arguments, body = ["self"], ["pass"]
    for field in owner.body:
        if not isinstance(field, ast.AnnAssign):
            continue
        name, kind, value = ast.unparse(field.target), ast.unparse(field.annotation), field.value
        if kind.startswith(("ClassVar", "InitVar", "KW_ONLY")):
            raise UnknownDataclassError(f"{owner.name}.{name} is no field of its instances")
        default, factory = _defaults(f"{owner.name}.{name}", value)
        if factory:
            arguments.append(f"{name}: {kind} | None = None")
            body.append(f"self.{name} = {_made_by(factory)} if {name} is None else {name}")
        else:
            arguments.append(f"{name}: {kind}" + (f" = {ast.unparse(default)}" if default else ""))
            body.append(f"self.{name} = {name}")
    return f"    def __init__({', '.join(arguments)}) -> None: {'; '.join(body)}"


def _defaults(field: str, value: ast.expr | None) -> tuple[ast.expr | None, ast.expr | None]:
    """Return default and default factory of a field, None where it has none."""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func) == "field"):
        return value, None
    options = {option.arg: option.value for option in value.keywords}
    if not options.keys() <= {"default", "default_factory", "compare", "repr"}:
        raise UnknownDataclassError(f"{field} is a {ast.unparse(value)}")
    return options.get("default"), options.get("default_factory")


def _made_by(factory: ast.expr) -> str:
    """Return the expression that a factory stands for."""
    if isinstance(factory, ast.Lambda):
        return ast.unparse(factory.body)
    name = ast.unparse(factory)
    return _EMPTY.get(name, f"{name}()")
