"""Identity tokens: short-lived JWTs signed with Ed25519 by the host's server, checked with its public keys.

The public keys are a JSON Web Key Set (RFC 7517, RFC 8037); the token's header names one by `kid`. Only EdDSA is
taken, whatever a token's header says. Nothing of a token gets into an answer or a log.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Protocol

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options

from streams.domain.identity import extension_key
from streams.gateway.answers import Code
from streams.gateway.identity import Identity

AUDIENCE: Final = "widget-streams"
ALGORITHM: Final = "EdDSA"
LEEWAY_SECONDS: Final = 60
"""Clocks of the host's server and of the gateway may differ by so much."""
MAX_CHARS: Final = 4096
_REMEMBERED: Final = 20_000
_CHECKS: Final[Options] = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": True,
    "require": ["exp", "iat", "aud"],
}

Keys = Mapping[str, Ed25519PublicKey]


class KeyFile(Protocol):
    """The public keys as they are now."""

    @property
    def value(self) -> Keys:
        """The keys."""

    @property
    def generation(self) -> int:
        """Raised at each change."""


def read_keys(text: str) -> Keys:
    """Read a JSON Web Key Set.

    Raises:
        ValueError: It is wrong, or holds a private key.
    """
    try:
        parsed = orjson.loads(text)
        rows = parsed["keys"]
        keys = {row["kid"]: _public(row) for row in rows}
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError('it is no JSON Web Key Set: {"keys": [{"kty", "crv", "kid", "x"}, …]}.') from error
    if not keys or len(keys) < len(rows):
        raise ValueError("it has no keys, or two keys have the same kid.")
    return keys


def _public(row: dict[str, Any]) -> Ed25519PublicKey:
    if "d" in row:
        raise ValueError("it holds a private key: give the gateway public keys only.")
    if row["kty"] != "OKP" or row["crv"] != "Ed25519" or not isinstance(row["kid"], str):
        raise ValueError("every key has to be an Ed25519 key (kty OKP, crv Ed25519) with a kid.")
    try:
        key = jwt.PyJWK(row, algorithm=ALGORITHM).key
    except jwt.PyJWTError as error:
        raise ValueError("a key cannot be read.") from error
    assert isinstance(key, Ed25519PublicKey)
    return key


class Verifier:
    """Checks tokens, and remembers those it has checked: a collector sends the same one many times."""

    def __init__(self, keys: KeyFile | None, max_seconds: float):
        """Check against these keys; None: no token is valid. No token may live longer than max_seconds."""
        self._keys, self._max_seconds = keys, max_seconds
        self._generation = -1
        self._known: OrderedDict[str, tuple[Identity, float]] = OrderedDict()

    def verify(self, token: str, now: float) -> Identity | Code:
        """Return whom a token names, or why it does not count; now is in seconds since the epoch."""
        keys = self._keys
        if keys is None or len(token) > MAX_CHARS:
            return Code.TOKEN_INVALID
        if keys.generation != self._generation:
            # A key that was taken out must not live on in what was checked with it.
            self._known.clear()
            self._generation = keys.generation
        known = self._known.get(token) or self._check(token, keys.value, now)
        if isinstance(known, Code):
            return known
        identity, expires = known
        if now > expires + LEEWAY_SECONDS:
            self._known.pop(token, None)
            return Code.TOKEN_EXPIRED
        self._remember(token, known)
        return identity

    def _remember(self, token: str, known: tuple[Identity, float]) -> None:
        self._known[token] = known
        self._known.move_to_end(token)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _check(self, token: str, keys: Keys, now: float) -> tuple[Identity, float] | Code:
        try:
            key = keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                return Code.TOKEN_INVALID
            claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, options=_CHECKS)
        except (jwt.PyJWTError, ValueError, TypeError):
            return Code.TOKEN_INVALID
        return _claimed(claims, now, self._max_seconds) or Code.TOKEN_INVALID


def _claimed(claims: Mapping[str, Any], now: float, max_seconds: float) -> tuple[Identity, float] | None:
    begins, expires = claims["iat"], claims["exp"]
    if not _is_number(begins) or not _is_number(expires):
        return None
    if begins > now + LEEWAY_SECONDS or not 0 < expires - begins <= max_seconds:
        return None
    login, account, extension = (claims.get(name) for name in ("login_number", "account_id", "extension_id"))
    key = extension_key(login) if isinstance(login, str) else None
    if key is None or not _is_id(account) or not _is_id(extension):
        return None
    return Identity(key, account, extension), float(expires)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20)
