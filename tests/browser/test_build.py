"""The built file in the package is what the source gives, small, and free of addresses."""

import gzip
import json
import os
import re
import shutil
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

from streams.collector import integrity, script

ROOT = Path(__file__).resolve().parents[2]
COLLECTOR = ROOT / "streams" / "collector"
TOOLS = ROOT / ".build" / "collector"
MAX_BYTES = 12_000


@cache
def why_not() -> str:
    """Return why the collector cannot be built here; empty when it can. Fetches the pinned tools once."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "node and npm are not installed: the collector cannot be built here"
    TOOLS.mkdir(parents=True, exist_ok=True)
    wanted = (COLLECTOR / "package-lock.json").read_bytes()
    fetched = TOOLS / "node_modules" / ".package-lock.json"
    if fetched.exists() and (TOOLS / "package-lock.json").read_bytes() == wanted:
        return ""
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(COLLECTOR / name, TOOLS / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    installed = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, timeout=240)
    return "" if installed.returncode == 0 else f"npm cannot fetch the build tools: {installed.stderr[-200:]}"


def run(script_name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of package.json with the fetched tools."""
    command: list[str] = json.loads((COLLECTOR / "package.json").read_text())["scripts"][script_name].split()
    tool = TOOLS / "node_modules" / ".bin" / command[0]
    environment = {**os.environ, "NODE_PATH": str(TOOLS / "node_modules")}
    return subprocess.run(
        [str(tool), *command[1:], *arguments],
        cwd=COLLECTOR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def tools() -> None:
    """Skip, by name, where nothing can be built."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.mark.usefixtures("tools")
def test_the_built_file_is_current(tmp_path: Path) -> None:
    """Building the source gives the committed file, byte for byte (`make collector` builds it)."""
    built = tmp_path / "collector.js"
    result = run("build", f"--outfile={built}")
    assert result.returncode == 0, result.stderr
    assert built.read_bytes() == script()


@pytest.mark.usefixtures("tools")
def test_the_types_are_strict() -> None:
    """The compiler has nothing to say in its strictest setting."""
    result = run("check")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.usefixtures("tools")
def test_a_wrong_type_is_noticed(tmp_path: Path) -> None:
    """The bad sample of the test above."""
    wrong = tmp_path / "wrong.ts"
    wrong.write_text("export const count: number = 'one';\n")
    settings = tmp_path / "tsconfig.json"
    settings.write_text(json.dumps({"extends": str(COLLECTOR / "tsconfig.json"), "include": ["wrong.ts"]}))
    assert run("check", "--project", str(settings)).returncode != 0


def test_it_is_small() -> None:
    """At most 12 kB, minified and compressed."""
    size = len(gzip.compress(script(), 9))
    assert 1_000 < size <= MAX_BYTES


def test_it_needs_nothing_at_run_time() -> None:
    """No dependency but the build tools, no second file, nothing that a strict policy forbids."""
    assert "dependencies" not in json.loads((COLLECTOR / "package.json").read_text())
    text = script().decode("utf-8")
    assert not [word for word in ("eval(", "new Function", "import(", "innerHTML", "sourceMappingURL") if word in text]


def test_it_says_the_version_of_the_package() -> None:
    """What stands in each envelope as `collector` is the release that the script came with."""
    declared: str = json.loads((COLLECTOR / "package.json").read_text())["version"]
    assert declared == version("widget-streams")
    assert f'"{declared}"' in script().decode("utf-8")


def test_the_lock_has_hashes_and_no_addresses() -> None:
    """Every package of the lock file is pinned by its hash; where to fetch it is the registry's business."""
    packages = json.loads((COLLECTOR / "package-lock.json").read_text())["packages"]
    fetched = {name: package for name, package in packages.items() if name}
    assert fetched
    assert all(package["integrity"].startswith("sha512-") for package in fetched.values())
    assert not [name for name, package in fetched.items() if "resolved" in package]


def test_the_hash_is_what_browsers_compute() -> None:
    """The known SHA-384 of the empty text, in the form of an integrity attribute."""
    empty = "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"
    assert integrity(b"") == empty
    assert integrity(script()) != empty


def test_the_page_about_it_names_every_setting_and_field() -> None:
    """docs/collector.md has what the source has: settings, captured types, what stays in the page."""
    source = {name: (COLLECTOR / "src" / f"{name}.ts").read_text() for name in ("settings", "widget", "scrub", "tally")}
    page = (ROOT / "docs" / "collector.md").read_text()
    settings = re.findall(r"^  (\w+)\?:", source["settings"].split("export interface Settings")[0], re.M)
    types = re.findall(r'^  "(rc-[\w-]+)"', source["widget"], re.M)
    secrets = re.search(r'SECRETS = words\("([^"]+)"', source["scrub"])
    assert settings
    assert types
    assert secrets
    assert not [name for name in (*settings, *types, *secrets[1].split(), "oAuthUri") if f"`{name}`" not in page]
    kilobytes = re.search(r"([\d.]+) kB compressed", page)
    assert kilobytes
    assert abs(float(kilobytes[1]) - len(gzip.compress(script(), 9)) / 1000) < 0.2
