"""The `__init__` that the native build writes down for each dataclass: it does what the decorator's own does."""

import ast
import dataclasses
from importlib import import_module
from inspect import Parameter, signature
from typing import Any

import pytest

from deploy.native import build
from deploy.native.inits import UnknownDataclassError, with_inits

LEG = '''from collections import Counter
from dataclasses import dataclass, field


@dataclass(eq=False)
class Leg:
    """A leg."""

    name: str
    """Its name."""
    count: int = 2 + 1
    posts: list[int] = field(default_factory=list, compare=False)
    zones: list[int] = field(default_factory=lambda: [0, 0])
    tally: Counter[str] = field(default_factory=Counter)
    due: int | None = field(default=None, compare=False)

    def first(self) -> int:
        """Return the first post."""
        return self.posts[0]


LAST = 1
'''


def made(text: str, name: str = "Leg") -> Any:
    scope: dict[str, Any] = {"__name__": __name__}
    exec(text, scope)
    return scope[name]


def test_it_takes_what_the_decorators_own_takes() -> None:
    """The same arguments in the same order, the same values, and a new list for each."""
    written, own = made(with_inits(LEG)), made(LEG)
    for arguments in (["a"], ["a", 5], ["a", 5, [1], [2], {"x": 1}]):
        assert dataclasses.asdict(written(*arguments)) == dataclasses.asdict(own(*arguments))
    assert list(signature(written).parameters) == list(signature(own).parameters)
    assert signature(written).parameters["name"].default is Parameter.empty
    assert written("a").posts is not written("a").posts
    with pytest.raises(TypeError, match="name"):
        written()


def test_lines_stay_where_they_are() -> None:
    """Only an empty line is another: tracebacks name the lines of the source."""
    before, after = LEG.splitlines(), with_inits(LEG).splitlines()
    assert len(before) == len(after)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0][0] == ""
    assert changed[0][1].startswith("    def __init__(self, name: str, count: int = 2 + 1, posts: ")


def test_a_class_at_the_end_of_its_module() -> None:
    """There the line is added."""
    assert made(with_inits("from dataclasses import dataclass\n\n\n@dataclass\nclass Leg:\n    name: str\n"))("a").name


@pytest.mark.parametrize(
    "text",
    [
        "class Leg:\n    name: str\n",
        "@dataclass(frozen=True)\nclass Leg:\n    name: str\n",
        "@dataclass\nclass Leg:\n    name: str\n    def __init__(self) -> None: ...\n",
    ],
)
def test_others_are_left_alone(text: str) -> None:
    """No dataclass, one that nobody may change, and one with an `__init__`."""
    assert with_inits(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@dataclass\nclass Leg(Base):\n    name: str\n", "Leg inherits"),
        ("@dataclass\nclass Leg:\n    a: int\n    def __post_init__(self) -> None: ...\n", "__post_init__"),
        ("@dataclass\nclass Leg:\n    a: ClassVar[int] = 1\n", "Leg.a"),
        ("@dataclass\nclass Leg:\n    a: int = field(hash=True)\n", r"Leg.a is a field\(hash=True\)"),
        ("@dataclass\nclass Leg:\n    a: list[int] = field(default_factory=list, init=False)\n", "Leg.a"),
        ("@dataclass\nclass Leg:\n    a: int\nLAST = 1\n", "no empty line"),
    ],
)
def test_what_is_not_known_stops_the_build(text: str, told: str) -> None:
    """A wrong `__init__` would be worse than a slow one."""
    with pytest.raises(UnknownDataclassError, match=told):
        with_inits(text)


def test_each_dataclass_has_one_that_takes_what_its_own_takes() -> None:
    """All modules of the build; only frozen ones have none."""
    seen = 0
    for name in build.modules(build.ROOT):
        module = import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        written = arguments_by_class(build.native_source((build.ROOT / name).read_text(encoding="utf-8")))
        for owner in vars(module).values():
            is_own = dataclasses.is_dataclass(owner) and owner.__module__ == module.__name__
            if is_own and not owner.__dataclass_params__.frozen:
                assert written[owner.__name__] == arguments_of(owner), owner
                seen += 1
    assert seen > 20


def arguments_by_class(text: str) -> dict[str, list[tuple[str, bool]]]:
    """Of each class of a module: what its `__init__` takes, and whether that has a default."""
    found = {}
    for owner in (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)):
        for method in (node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"):
            names = [argument.arg for argument in method.args.args[1:]]
            needed = len(names) - len(method.args.defaults)
            found[owner.name] = [(name, place >= needed) for place, name in enumerate(names)]
    return found


def arguments_of(owner: type) -> list[tuple[str, bool]]:
    parameters = signature(owner).parameters
    return [(name, one.default is not Parameter.empty) for name, one in parameters.items()]
