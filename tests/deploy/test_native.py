"""The native build: what it compiles, when it refuses, and that it says what the build in plain Python says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.native import build
from tests.bench.builds import NATIVE, PLAIN, Build


def test_what_reads_annotations_at_run_time_stays_interpreted() -> None:
    """Every module with a pydantic model is named, and no name is stale."""
    models = re.compile(r"^class \w+\((\w*Model|_\w+)\)", re.MULTILINE)
    for name in build.modules(build.ROOT):
        text = (build.ROOT / name).read_text(encoding="utf-8")
        assert "from pydantic import" not in text or not models.search(text), name
    assert all((build.ROOT / name).is_file() for name in build.INTERPRETED)
    assert "streams/domain/decide.py" in build.modules(build.ROOT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@dataclass(slots=True)", "@dataclass()"),
        ("@dataclass(frozen=True, slots=True)", "@dataclass(frozen=True)"),
        ("@dataclass(slots=True, eq=False)", "@dataclass(eq=False)"),
        ("@dataclass(frozen=True, slots=True, eq=False)", "@dataclass(frozen=True, eq=False)"),
        ("@dataclass(frozen=True)", "@dataclass(frozen=True)"),
    ],
)
def test_slots_are_left_to_the_compiler(before: str, after: str) -> None:
    """And nothing else is changed of a class that has an `__init__`."""
    rest = "\nclass Leg:\n    slots: int = 1\n    def __init__(self) -> None: ...\n"
    assert build.native_source(before + rest) == after + rest


def test_no_decorator_is_missed() -> None:
    """Each dataclass with slots is written as the replacement expects it."""
    for name in build.modules(build.ROOT):
        assert "slots=True" not in build.native_source((build.ROOT / name).read_text(encoding="utf-8")), name


def test_a_build_of_other_sources_is_not_taken(tmp_path: Path) -> None:
    """Nothing there, the sources of today, and a source that changed since."""
    root, target = tmp_path / "root", tmp_path / "target"
    for folder in ("streams/domain", "schemas"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").write_text("", encoding="utf-8")
    source = root / "streams/domain/words.py"
    source.write_text("A = 1\n", encoding="utf-8")
    assert not build.is_current(target, root)
    target.mkdir()
    (target / build.DIGEST).write_text(build.digest(root), encoding="utf-8")
    assert build.is_current(target, root)
    source.write_text("A = 2\n", encoding="utf-8")
    assert not build.is_current(target, root)


def test_without_a_compiler_it_says_what_is_needed(tmp_path: Path) -> None:
    """One sentence, and exit code 1."""
    command = [sys.executable, "-m", "deploy.native.build", "--wheel", str(tmp_path)]
    environment = {**os.environ, "PATH": str(tmp_path)}
    ended = subprocess.run(command, cwd=build.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(r"The native build needs a C compiler, and there is no \S+ on the PATH\.\n", ended.stderr)


@pytest.fixture(scope="module")
def native() -> Build:
    """Build it, unless it is there."""
    try:
        build.check_tools()
    except build.CannotBuildError as error:
        pytest.skip(str(error))
    if not build.is_current():
        build.build()
    return NATIVE


def answer(made: Build, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.deploy.native_outputs", *arguments]
    ended = subprocess.run(
        command, cwd=build.ROOT, env={**os.environ, **made.environment}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_both_builds_write_the_same_bytes(native: Build) -> None:
    """Every output and every byte of state, of calls of all witnesses and of garbage; another input is told apart."""
    compiled, plain = answer(native), answer(PLAIN)
    assert (compiled.pop("compiled"), plain.pop("compiled")) == (True, False)
    assert plain["counts"]["widget.call-records.v1"] > 100
    assert plain["counts"]["widget.dead-letters.v1"] > 100
    assert compiled == plain
    assert answer(native, "changed")["digests"] != plain["digests"]


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_native_build_passes_the_tests_of_what_it_holds(native: Build, tmp_path: Path) -> None:
    """The scenarios, the stages, the domain and the contracts, with compiled modules; a failing test is seen."""
    # What hypothesis searches for anew in each run is the rules' own affair, whatever they are run by.
    searching = "--ignore=tests/pipeline/test_properties.py"
    # It reads the type hints of what is kept, which compiled classes do not have.
    hinted = "--ignore=tests/contracts/test_snapshots.py"
    folders = ("tests/scenarios", "tests/pipeline", "tests/domain", "tests/contracts")
    ended = _pytest(native, *folders, searching, hinted, "-m", "not slow")
    assert ended.returncode == 0, ended.stdout[-2_000:]
    failing = tmp_path / "test_wrong.py"
    failing.write_text(
        "from streams.domain import decide\ndef test_it():\n    assert decide.__file__.endswith('.py')\n",
        encoding="utf-8",
    )
    assert _pytest(native, str(failing)).returncode == 1


def _pytest(made: Build, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, **made.environment}
    return subprocess.run(command, cwd=build.ROOT, env=environment, capture_output=True, text=True, check=False)
