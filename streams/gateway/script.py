"""The collector's built file as browsers get it: its bytes, its ETag, its integrity hash."""

import hashlib
from dataclasses import dataclass

from streams.collector import integrity, script


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
        return integrity(self.body)


def collector_script() -> Script | None:
    """Return the script that came with this package; None when it was not built."""
    try:
        return Script(script())
    except OSError:
        return None
