"""The collector's built file as browsers get it: its bytes, its ETag, its integrity hash."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """A script that pages load."""

    body: bytes

    @property
    def etag(self) -> str:
        """A strong entity tag."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    @property
    def integrity(self) -> str:
        """The value of the attribute `integrity` (Subresource Integrity)."""
        return f"sha384-{base64.b64encode(hashlib.sha384(self.body).digest()).decode()}"


def collector_script() -> Script | None:
    """Return the script that came with this package; None when it was not built."""
    try:
        return Script(files("streams").joinpath("collector", "dist", "collector.js").read_bytes())
    except OSError:
        return None
