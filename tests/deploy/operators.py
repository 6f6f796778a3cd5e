"""Tools that operators have, brought into `.build/tools` once: helm, kubeconform, promtool, prometheus."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".build" / "tools"
GO = {
    "helm": "helm.sh/helm/v4/cmd/helm@v4.3.1",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
}
"""Made from source: minutes for the first time, kept afterwards."""
DEBIAN = ("promtool", "prometheus")
"""Of Debian's package `prometheus`: installed by root, or unpacked here."""
BUILD_SECONDS = 1_500


def go_tool(name: str) -> Path:
    """Return a tool of `GO`, building it where it is missing; skips where there is no Go."""
    found = shutil.which(name)
    path = TOOLS / name
    if path.exists() or found is None:
        return path if path.exists() else _install(name)
    return Path(found)


def _install(name: str) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip(f"{name} is not here, and no Go to build it with")
    TOOLS.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOBIN": str(TOOLS), "GOFLAGS": "-p=2"}
    command = [go, "install", GO[name]]
    built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    return TOOLS / name


def debian_tool(name: str) -> Path:
    """Return a tool of Debian's package `prometheus`, unpacked below `.build` where it is missing; else skips."""
    if found := shutil.which(name):
        return Path(found)
    path = TOOLS / "prometheus" / "usr" / "bin" / name
    if path.exists():
        return path
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        pytest.skip(f"{name} is not here, and no apt-get to bring it")
    folder = TOOLS / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(
        ["apt-get", "download", "prometheus"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if fetched.returncode:
        pytest.skip(f"{name} is not here, and apt-get brings none: {fetched.stderr.strip().splitlines()[-1:]}")
    (package,) = folder.glob("prometheus_*.deb")
    subprocess.run(["dpkg", "-x", package, folder], check=True, capture_output=True)
    return path


def run(tool: Path, *arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a tool and return what it said."""
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def main() -> None:
    """Bring all of them, and say of each whether it is there: `make tools`."""
    for name, bring in {**dict.fromkeys(GO, go_tool), **dict.fromkeys(DEBIAN, debian_tool)}.items():
        try:
            sys.stdout.write(f"{name}: {bring(name)}\n")
        except pytest.skip.Exception as missing:
            sys.stdout.write(f"{name}: {missing.msg}\n")


if __name__ == "__main__":
    main()
