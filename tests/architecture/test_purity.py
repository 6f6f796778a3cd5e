"""What no linter sees: time, chance and surroundings are arguments, and modules stay small (LAYOUT 1, STYLE).

Each check is fed a bad sample first.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "streams"
PURE = ("domain", "contracts", "pipeline")
IMPURE = frozenset({
    "now", "utcnow", "today", "environ", "getenv", "urandom", "uuid1", "uuid4", "monotonic", "perf_counter", "getpid",
    "gethostname", "urlopen", "system", "popen", "print", "breakpoint",
})  # fmt: skip
"""Attributes and names that read a clock, chance, the surroundings, or talk to somebody."""
WORDS = frozenset({"utils", "util", "common", "helpers", "helper", "manager", "misc", "base", "core"})
MOST_LINES = 300
VENDOR_WORDS = ("rc-call-", "rc-adapter-", "webphone-session", "telephonySession")


def modules(*packages: str) -> list[Path]:
    """Return the modules of packages, or all."""
    folders = [ROOT / package for package in packages] or [ROOT]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def impurities(source: str) -> set[str]:
    """Return the names in a source that make its results depend on more than its arguments."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)} | {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return (names - bound | imported) & IMPURE


def foreign_imports(source: str) -> set[str]:
    """Return what a source imports beyond the standard library and the domain."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {
        name
        for name in found
        if name.split(".")[0] not in sys.stdlib_module_names and not f"{name}.".startswith("streams.domain.")
    }


def vendor_words(source: str) -> Iterator[str]:
    """Give the vendor's words in texts that are no docstrings."""
    tree = ast.parse(source)
    told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in told and isinstance(node.value, str):
            yield from (word for word in VENDOR_WORDS if word in node.value)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime\ndatetime.now(UTC)", "import os\nos.environ['A']", "from os import getenv",
        "import uuid\nuuid.uuid4()", "from time import monotonic", "print('x')",
    ],
)  # fmt: skip
def test_a_look_at_the_clock_is_found(source: str) -> None:
    """The bad samples of the check below."""
    assert impurities(source)


def test_an_argument_is_no_look_at_the_clock() -> None:
    """`now` as a name of an argument is what is wanted."""
    assert impurities("def judge(now: int) -> int:\n    later = now + 1\n    return now") == set()


@pytest.mark.parametrize("path", modules(*PURE), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_folded_reads_no_clock_and_no_surroundings(path: Path) -> None:
    """The same recorded input gives the same output, whenever and wherever it runs (CONTRACT 2)."""
    assert impurities(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "source", ["import phonenumbers", "from pydantic import BaseModel", "import streams.contracts"]
)
def test_an_import_from_outside_is_found(source: str) -> None:
    """The bad samples of the check below."""
    assert foreign_imports(source)


@pytest.mark.parametrize("path", modules("domain"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_domain_needs_the_standard_library_only(path: Path) -> None:
    """Whatever the library is called: the linter's list can name only those that it knows."""
    assert foreign_imports(path.read_text(encoding="utf-8")) == set()


def test_a_vendors_word_is_found() -> None:
    """In a text, not in a docstring."""
    assert list(vendor_words('"""Of rc-call-end-notify."""\nkind = "rc-call-end-notify"')) == ["rc-call-"]


@pytest.mark.parametrize(
    "path", modules("domain", "pipeline", "engine"), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_vendor_words_stop_at_the_border(path: Path) -> None:
    """Behind the contracts everything is in our own words (STYLE)."""
    assert list(vendor_words(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_one_noun(path: Path) -> None:
    """No drawer into which anything goes."""
    assert not WORDS & set(path.stem.split("_"))


def too_long(paths: list[Path]) -> list[str]:
    """Return the modules that nobody reads at night."""
    return [path.name for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES]


def test_a_module_that_is_too_long_is_found(tmp_path: Path) -> None:
    """One line decides."""
    for name, lines in (("short.py", MOST_LINES), ("long.py", MOST_LINES + 1)):
        (tmp_path / name).write_text("\n" * lines, encoding="utf-8")
    assert too_long(sorted(tmp_path.iterdir())) == ["long.py"]


def test_no_module_is_too_long() -> None:
    """A module that grows beyond 300 lines has two nouns."""
    assert set(too_long(modules())) == set()
