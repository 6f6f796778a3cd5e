"""`make browser`: brings a Chromium from Debian's packages where there is none; says what it did, never fails a build.

As root it is installed; anybody else gets it unpacked into `.build/chromium`, with the libraries that are missing.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.browser.chromium import BROUGHT, executable

APT = ["apt-get", "--yes", "--no-install-recommends", "-q"]
MINUTES_15 = 900


def main() -> None:
    """Bring what is missing and say so in one line."""
    if path := executable():
        say(f"Chromium: {path}")
        return
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        say("No Chromium, and no apt-get to bring one: tests in a browser are skipped.")
        return
    problem = install() if os.geteuid() == 0 else unpack(missing_packages(), BROUGHT)
    found = executable()
    say(f"Chromium: {found}" if found else f"No Chromium, tests in a browser are skipped: {problem}")


def install() -> str:
    """Install it; return what went wrong."""
    return run(["apt-get", "update", "-q"]) or run([*APT, "install", "chromium"])


def missing_packages() -> list[str]:
    """Return the packages that an installation would add to this machine."""
    plan = subprocess.run([*APT, "--simulate", "install", "chromium"], capture_output=True, text=True, timeout=60)
    return re.findall(r"^Inst (\S+)", plan.stdout, re.M)


def unpack(packages: list[str], folder: Path) -> str:
    """Fetch packages and unpack them into a folder; return what went wrong."""
    if not packages:
        return "apt-get knows no package chromium, or its lists are not there (apt-get update)"
    fetched = folder / "packages"
    fetched.mkdir(parents=True, exist_ok=True)
    if problem := run(["apt-get", "download", "-q", *packages], fetched):
        return problem
    for package in sorted(fetched.glob("*.deb")):
        if problem := run(["dpkg", "-x", str(package), str(folder)]):
            return problem
        package.unlink()
    return ""


def run(command: list[str], folder: Path | None = None) -> str:
    """Run a command; return the end of what it complained of, or nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=MINUTES_15)
    except subprocess.TimeoutExpired:
        return f"{command[0]} took too long"
    return done.stderr.strip()[-300:] or f"{command[0]} failed" if done.returncode else ""


def say(text: str) -> None:
    """Say a line."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
