"""The script that a page loads to capture the widget's events: its built file and its hash (CONTRACT 9).

    widget (iframe) --postMessage--> collector.js --HTTP--> gateway --> widget.events.v1

The source is TypeScript in `src/`; `dist/collector.js` is built from it, committed and shipped in the wheel, so that
nobody needs Node to run a gateway. What it does and how a page includes it: docs/collector.md.
"""

import base64
import hashlib
from importlib.resources import files


def script() -> bytes:
    """Return the built collector, as browsers get it."""
    return files(__name__).joinpath("dist", "collector.js").read_bytes()


def integrity(content: bytes) -> str:
    """Return the `integrity` attribute of a script tag that loads exactly this content (subresource integrity)."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode('ascii')}"
