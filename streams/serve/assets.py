"""The files of the wallboard, held in memory: plain HTML, CSS and JavaScript, nothing from elsewhere."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "wallboard"
TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content_type: str
    body: bytes
    etag: str


@cache
def assets() -> dict[str, Asset]:
    """Return the files by path: `/` is the page, the others are below `/wallboard/`."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in TYPES:
            path = "/" if file.name == "index.html" else f"/wallboard/{file.name}"
            found[path] = _asset(TYPES[file.suffix], file.read_bytes())
    return found


def _asset(content_type: str, body: bytes) -> Asset:
    return Asset(content_type, body, etag_of(body))


def etag_of(body: bytes) -> str:
    """Return the entity tag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:20]}"'
