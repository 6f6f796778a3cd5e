"""Who may ask, from where, and how often. Time is an argument."""

import hashlib
import hmac
import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

LEAST_TOKEN: Final = 16
MOST_CLIENTS: Final = 10_000
"""Clients whose rate is remembered; the one that was silent longest is forgotten, which can only be generous."""


class GuardError(ValueError):
    """A file or list that cannot be used; the text says why, never a token."""


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_tokens(path: Path) -> frozenset[bytes]:
    """Read the hashes of the tokens of a file: one a line, `#` begins a comment.

    Raises:
        GuardError: The file cannot be read, has no token, or one that is too short.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise GuardError(f"serve_tokens_file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise GuardError("serve_tokens_file holds other than ASCII characters.") from None
    tokens = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not tokens:
        raise GuardError("serve_tokens_file holds no token.")
    if any(len(token) < LEAST_TOKEN or " " in token for token in tokens):
        raise GuardError(f"serve_tokens_file: a token has at least {LEAST_TOKEN} characters and no spaces.")
    return frozenset(_hash(token) for token in tokens)


def read_origins(text: str) -> frozenset[str]:
    """Read the list of origins whose pages may ask: `https://host[:port]`, separated by commas.

    Raises:
        GuardError: One of them is no origin.
    """
    origins = frozenset(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            raise GuardError(
                "serve_cors_origins: each is scheme and host, as https://board.example.com, without a path."
            )
    return origins


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass
class Guard:
    """Checks requests of one process."""

    tokens: frozenset[bytes]
    """Hashes; none: open, and then asked by the names of this machine only."""
    origins: frozenset[str]
    rate: float
    """Requests a second of one client; ten times as many at once after silence."""
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def is_known_host(self, host: str) -> bool:
        """Tell whether a request without a token came by a name of this machine.

        Otherwise any web page could have its own name point here and read on with the browser of whoever visits it.
        """
        return bool(self.tokens) or is_loopback(urlsplit(f"//{host}").hostname or "")

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the request brings a token that is known."""
        if not self.tokens:
            return True
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        given = _hash(token.strip())
        # Each is compared, in constant time: how long it takes tells nothing.
        matches = [hmac.compare_digest(given, known) for known in self.tokens]
        return scheme.lower() == "bearer" and any(matches)

    def wait(self, client: str, now: float) -> float:
        """Count a request; return 0.0, or the seconds after which the client may ask again."""
        burst = self.rate * 10
        level, at = self._levels.pop(client, (burst, now))
        level = min(burst, level + (now - at) * self.rate)
        allowed = level >= 1
        self._levels[client] = (level - 1 if allowed else level), now
        if len(self._levels) > MOST_CLIENTS:
            self._levels.popitem(last=False)
        return 0.0 if allowed else (1 - level) / self.rate
