"""Where a Chromium is on this machine: installed, or brought by `make browser`."""

import os
import shutil
from pathlib import Path
from typing import Final

BROUGHT: Final = Path(__file__).resolve().parents[2] / ".build" / "chromium"
ABSENT: Final = "no Chromium here: `make browser` brings one, CHROMIUM names another"
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def executable() -> str | None:
    """Return the path of a Chromium, or None."""
    brought = BROUGHT / "usr" / "lib" / "chromium" / "chromium"
    if named := os.environ.get("CHROMIUM"):
        return named
    installed = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in installed if path), str(brought) if brought.exists() else None)


def environment() -> dict[str, str | float | bool]:
    """Return the environment for it: libraries that were brought along are found first."""
    folders = [str(path) for path in (BROUGHT / "usr" / "lib").glob("*-linux-gnu")]
    paths = [*folders, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {**os.environ, **({"LD_LIBRARY_PATH": ":".join(paths)} if paths else {})}
