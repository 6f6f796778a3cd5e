"""Builds the worker's pure parts as C extensions with mypyc: `make native`, and the container image.

    python -m deploy.native.build [--wheel FOLDER]

Leaves in .build/native a copy of the packages `streams` and `schemas` whose modules of COMPILED have an extension
module beside them, which Python prefers; or puts a wheel of it in a folder. Nothing is built when nothing changed.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import version
from pathlib import Path

from deploy.native.constants import with_finals
from deploy.native.inits import with_inits

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / ".build" / "native"
DIGEST = "digest.txt"
PACKAGES = ("streams", "schemas")
COMPILED = ("streams/domain", "streams/pipeline", "streams/contracts")
INTERPRETED = frozenset(
    {
        # Pydantic reads the annotations of its models at run time, which compiled classes do not have.
        "streams/contracts/directory_rows.py",
        "streams/contracts/widget/models.py",
        # A subclass of bytes, which no compiled class may be.
        "streams/contracts/encoded.py",
        # Of no weight in a worker: checks, proofs, files, and what is done once at its start.
        "streams/contracts/catalog.py",
        "streams/contracts/compatibility.py",
        "streams/contracts/named_state.py",
        "streams/contracts/schema_check.py",
        "streams/contracts/schemas.py",
        "streams/contracts/upgrades.py",
        "streams/pipeline/fold.py",
        "streams/pipeline/plan.py",
        "streams/pipeline/proof.py",
        "streams/pipeline/recorded.py",
    }
)
SLOTS = re.compile(r"(?m)^(@dataclass\(.*?)(?:, slots=True|slots=True(?:, )?)(.*\))$")
CONFIGURATION = """[mypy]
python_version = {python}
mypy_path = .
explicit_package_bases = True
follow_imports = silent
ignore_missing_imports = True
# The same with and without the libraries at hand, and pydantic's own sources are nothing for mypyc.
[mypy-pydantic.*,orjson.*,fastavro.*,ddsketch.*,phonenumbers.*,cryptography.*]
follow_imports = skip
"""
SETUP = """import os
from multiprocessing.pool import ThreadPool

from mypyc.build import mypycify
from setuptools import setup
from setuptools.command.build_ext import build_ext


class Parallel(build_ext):
    def build_extensions(self):
        one_by_one = self.compiler.compile

        def together(sources, *args, **kwargs):
            with ThreadPool(os.cpu_count()) as pool:
                made = pool.map(lambda source: one_by_one([source], *args, **kwargs), sources)
            return [path for paths in made for path in paths]

        self.compiler.compile = together
        super().build_extensions()


setup(
    cmdclass={{"build_ext": Parallel}},
    ext_modules=mypycify(
        ["--config-file=mypy.ini", *{modules!r}], opt_level="1", debug_level="0", multi_file=True
    ),
)
"""
"""NB: one C file of all modules takes gcc more than ten minutes; a file for each module can be compiled in parallel."""
PACKAGING = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools.packages.find]
include = ["streams*", "schemas*"]

[tool.setuptools.package-data]
"*" = ["**/*"]
"""
"""How setuptools packs what `uv_build` packs for the wheel in plain Python."""


class CannotBuildError(Exception):
    """Something that the build needs is not there; the text says what."""


def modules(root: Path) -> list[str]:
    """Return the modules that are compiled, as paths below root."""
    found = (str(path.relative_to(root)) for folder in COMPILED for path in (root / folder).rglob("*.py"))
    return sorted(name for name in found if name not in INTERPRETED)


def digest(root: Path) -> str:
    """Return what the build depends on as one word: sources, this folder, Python and the compiler of Python."""
    told = hashlib.sha256(f"{sys.version} {version('mypy')} {sysconfig.get_platform()}".encode())
    sources = (path for package in PACKAGES for path in (root / package).rglob("*") if path.is_file())
    for path in (*sorted(Path(__file__).parent.glob("*.py")), root / "pyproject.toml", *sorted(sources)):
        if "__pycache__" not in path.parts and "node_modules" not in path.parts:
            told.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    return told.hexdigest()


def is_current(target: Path = TARGET, root: Path = ROOT) -> bool:
    """Tell whether target holds what the sources of today give."""
    kept = target / DIGEST
    return kept.exists() and kept.read_text(encoding="utf-8") == digest(root)


def native_source(text: str) -> str:
    """Return a module as mypyc takes it.

    A compiled class has slots anyway, and the decorator's own would make a second class of it. An `__init__` that is
    written down is compiled, and constants that are declared so are read at once.
    """
    return with_finals(with_inits(SLOTS.sub(r"\1\2", text)))


def prepare(root: Path, target: Path) -> None:
    """Copy what is built to an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
        shutil.copytree(root / package, target / package, ignore=ignored)
    for name in modules(root):
        path = target / name
        path.write_text(native_source(path.read_text(encoding="utf-8")), encoding="utf-8")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    (target / "mypy.ini").write_text(CONFIGURATION.format(python=python), encoding="utf-8")
    # Modules made of the schemas, beside those that are copied.
    _run([sys.executable, "-m", "deploy.native.avro", str(target)], root)
    (target / "setup.py").write_text(SETUP.format(modules=modules(target)), encoding="utf-8")
    packaged = packaging((root / "pyproject.toml").read_text(encoding="utf-8"))
    (target / "pyproject.toml").write_text(packaged, encoding="utf-8")
    for name in ("README.md", "LICENSE"):
        shutil.copy(root / name, target / name)


def packaging(text: str) -> str:
    """Return the pyproject.toml of the native wheel: it needs what the other one needs, and the group native-run."""
    project = text[text.index("[project]") : text.index("[dependency-groups]")]
    needed = "".join(f'    "{one}",\n' for one in tomllib.loads(text)["dependency-groups"]["native-run"])
    return project.replace("dependencies = [\n", f"dependencies = [\n{needed}", 1) + PACKAGING


def check_tools() -> None:
    """Raise CannotBuildError unless a C compiler and Python's headers are there."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        raise CannotBuildError(f"The native build needs a C compiler, and there is no {compiler} on the PATH.")
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    if not headers.exists():
        raise CannotBuildError(f"The native build needs the headers of Python, and there is no {headers}.")


def build(root: Path = ROOT, target: Path = TARGET) -> None:
    """Build target anew."""
    check_tools()
    sources = digest(root)
    prepare(root, target)
    _run([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], target)
    shutil.rmtree(target / "build")
    (target / DIGEST).write_text(sources, encoding="utf-8")


def build_wheel(folder: Path, root: Path = ROOT, target: Path = TARGET) -> None:
    """Build a wheel of this platform and put it into a folder."""
    check_tools()
    prepare(root, target)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-cache-dir", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(target)], target)


def _run(command: list[str], folder: Path) -> None:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if ended.returncode:
        lines = (ended.stdout + ended.stderr).strip().splitlines()
        raise CannotBuildError("\n".join(["The native build failed:", *lines[-20:]]))


def main() -> int:
    """Build what is not there or not current."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wheel", type=Path, metavar="FOLDER", help="put a wheel there instead")
    folder: Path | None = parser.parse_args().wheel
    try:
        if folder is not None:
            build_wheel(folder.resolve())
        elif not is_current():
            build()
    except CannotBuildError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a script
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
