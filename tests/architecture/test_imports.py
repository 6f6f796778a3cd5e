"""Imports point toward the domain: `make check` complains of every kind of import that would turn the arrows round."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
LAYERS = "Imports point toward the domain"
DOMAIN = "The domain needs the standard library only"
FAUST = "Only the engine and the worker know Faust"
INPUT = "What is folded depends on nothing but its input"
ENGINE = "The engine knows nothing of calls"
AVRO = "Only the contracts know Avro"

PLANTED = [
    ("domain", "import streams.contracts.avro", LAYERS),
    ("domain", "import streams.pipeline.plan", LAYERS),
    ("contracts", "import streams.pipeline.records", LAYERS),
    ("contracts", "import streams.cli.errors", LAYERS),
    ("pipeline", "import streams.worker.tables", LAYERS),
    ("pipeline", "import streams.engine.errors", LAYERS),
    ("telemetry", "import streams.pipeline.plan", LAYERS),
    ("engine", "import streams.worker.health", LAYERS),
    ("simulate", "import streams.worker.health", LAYERS),
    ("serve", "import streams.worker.health", LAYERS),
    ("local", "import streams.simulate.run", LAYERS),
    ("worker", "import streams.local.errors", LAYERS),
    ("worker", "import streams.demo.board", LAYERS),
    ("demo", "import streams.cli.errors", LAYERS),
    ("domain", "import pydantic", DOMAIN),
    ("domain", "import orjson", DOMAIN),
    ("contracts", "import faust", FAUST),
    ("pipeline", "from faust import App", FAUST),
    ("telemetry", "import mode", FAUST),
    ("simulate", "import faust", FAUST),
    ("local", "import mode", FAUST),
    ("serve", "import faust", FAUST),
    ("domain", "import time", INPUT),
    ("contracts", "import random", INPUT),
    ("pipeline", "from streams.settings import load", INPUT),
    ("pipeline", "import socket", INPUT),
    ("engine", "import streams.domain.words", ENGINE),
    ("engine", "from streams.contracts.avro import codec", ENGINE),
    ("pipeline", "import fastavro", AVRO),
    ("worker", "import fastavro", AVRO),
    ("cli", "import fastavro", AVRO),
]


def complaints(folder: Path) -> set[str]:
    """Return the contracts that are broken in a copy of the project."""
    command = [str(LINTER), "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    broken = {line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (done.returncode == 0) == (not broken), done.stdout + done.stderr
    assert "Contracts:" in done.stdout
    return broken


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the linter reads."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "streams", folder / "streams", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def plant(copy: Path) -> Iterator[Path]:
    """Return the copy, and take away afterwards what was planted."""
    yield copy
    for path in copy.rglob("planted.py"):
        path.unlink()


def test_the_project_breaks_no_contract(copy: Path) -> None:
    """The copy without anything planted."""
    assert complaints(copy) == set()


@pytest.mark.parametrize(("package", "statement", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(plant: Path, package: str, statement: str, contract: str) -> None:
    """And the linter names the contract."""
    (plant / "streams" / package / "planted.py").write_text(f'"""Planted."""\n\n{statement}\n', encoding="utf-8")
    assert contract in complaints(plant)


def test_every_contract_has_seen_a_bad_import() -> None:
    """A contract that is added needs its bad sample above."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {contract["name"] for contract in read["tool"]["importlinter"]["contracts"]} == {row[2] for row in PLANTED}


def test_every_package_is_under_the_contract_of_layers() -> None:
    """A package that is added must say where it stands."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (one["layers"] for one in read["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    assert {f"streams.{path.parent.name}" for path in (ROOT / "streams").glob("*/__init__.py")} == named
