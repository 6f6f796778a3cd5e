"""The constants that the native build declares Final: all of them, and no line moves."""

import ast
import re

import pytest

from deploy.native import build
from deploy.native.constants import with_finals


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT = 5", "LIMIT: Final = 5"),
        ("_LIMIT = 5", "_LIMIT: Final = 5"),
        ("NAMES: dict[str, int] = {", "NAMES: Final[dict[str, int]] = {"),
        ("A, B = 1, Kind.HELD", "A: Final = 1; B: Final = Kind.HELD"),
    ],
)
def test_a_constant_is_final(before: str, after: str) -> None:
    """Alone, with a type, over several lines, several in a line; the first brings the word."""
    rest = '\n    "a": 1,\n}\n' if before.endswith("{") else "\n"
    source = f'"""Words."""\n\n{before}{rest}LAST = 1\n'
    assert with_finals(source) == f'"""Words."""\n\nfrom typing import Final; {after}{rest}LAST: Final = 1\n'


@pytest.mark.parametrize(
    "text",
    [
        "LIMIT: Final = 5\n",
        "limit = 5\n",
        "Row = dict[str, object]\n",
        'W = TypeVar("W", bound=StrEnum)\n',
        "LIMIT: int\n",
        "A, B = both()\n",
        "class Leg:\n    LIMIT = 5\n",
        "def limit():\n    LIMIT = 5\n",
    ],
)
def test_others_are_left_alone(text: str) -> None:
    """What is final already, what is no constant, and what stands deeper than in the module."""
    assert with_finals(text) == text


def test_each_constant_of_the_build_is_final_and_stays_in_its_line() -> None:
    """All modules: what is left is a variable of types or comes out of a call."""
    left = []
    for name in build.modules(build.ROOT):
        before = (build.ROOT / name).read_text(encoding="utf-8")
        after = with_finals(before)
        assert len(before.splitlines()) == len(after.splitlines())
        for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
            assert old == new or re.match(r"(from typing import Final; )?_?[A-Z][A-Z0-9_]*: Final", new)
        left += [
            target.id
            for node in ast.parse(after).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id.isupper()
        ]
    assert set(left) <= {"T", "W"}
