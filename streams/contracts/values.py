"""What may pass of a single value: the forms that the privacy policy knows (CONTRACT 8, SPEC 8).

Each function gives the value, or what becomes of it, and None where nothing may pass: what passes is safe by
construction. The policy (`privacy`) and the readers of widget events (`widget`) use the same ones.
"""

import hashlib
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from streams.contracts.numbers import Remote, TokenKey, mask_again, mask_number, mask_queue
from streams.domain.identity import extension_key

MAX_KEPT = 80
"""Texts up to this length are remembered with what became of them: vendor words and origins come again and again."""
_WORD = re.compile(r"[A-Za-z][A-Za-z _-]{0,63}")
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_UUID_CHARS = 36
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_=+/.:-]{0,127}")
_HASHED = re.compile(r"sha256:[0-9a-f]{64}")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_INCOMPLETE_LOGIN = re.compile(r"\+?\d*\*\d{0,8}", re.ASCII)
_LONG_DIGITS = re.compile(r"\d{6,}")
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
_PATH = re.compile(r"(/[A-Za-z0-9._~:-]*)*")
_COUNT_LIMIT = 10_000_000
_SERIAL_LIMIT = 2**53
_INSTANT_LIMIT = 4_102_444_800_000
_ROUTE_SEGMENTS = 2


@lru_cache(maxsize=10_000)
def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


@lru_cache(maxsize=10_000)
def _is_term(text: str) -> bool:
    return _TERM.fullmatch(text) is not None


def word(value: Any) -> str | None:
    """Return one of the vendor's words, which are letters."""
    return value if isinstance(value, str) and len(value) <= MAX_KEPT and _is_word(value) else None


def term(value: Any) -> str | None:
    """Return a name that software gives, which may have digits."""
    return value if isinstance(value, str) and len(value) <= MAX_KEPT and _is_term(value) else None


def identifier(value: Any) -> int | str | None:
    """Return an id that may be read."""
    if isinstance(value, str):
        return value if _ID.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def id_text(value: Any) -> str | None:
    """Return an id that may be read, as text."""
    if value is None or isinstance(value, str):
        return value if value and _ID.fullmatch(value) else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """Return a yes or no."""
    return value if isinstance(value, bool) else None


def count(value: Any) -> int | float | None:
    """Return a number of something, of a size that tells nobody's telephone number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= _COUNT_LIMIT else None


def serial(value: Any) -> int | None:
    """Return a number in a sequence."""
    return value if type(value) is int and 0 <= value < _SERIAL_LIMIT else None


def clock(value: Any) -> int | None:
    """Return an instant in milliseconds since the epoch."""
    if type(value) is int:
        return value if 0 <= value <= _INSTANT_LIMIT else None
    return int(value) if isinstance(value, float) and 0 <= value <= _INSTANT_LIMIT else None


def instant(value: Any) -> int | str | None:
    """Return an instant in milliseconds since the epoch, or in ISO 8601."""
    if isinstance(value, str):
        return value if _ISO.fullmatch(value) else None
    return clock(value)


def number(value: Any, key: TokenKey) -> Remote | None:
    """Return token, country and kind of a telephone number, also of one that was masked before."""
    if isinstance(value, str):
        # What is too long for a number is not remembered: it would fill the memory.
        return mask_number(value, key) if len(value) <= MAX_KEPT else mask_number.__wrapped__(value, key)
    if isinstance(value, dict):
        return mask_again(value, key)
    return mask_number(str(value), key) if isinstance(value, int) and not isinstance(value, bool) else None


def digest(value: Any) -> str | None:
    """Return the digest of an id of high entropy; what is a digest stays one, and so does an empty text."""
    if not isinstance(value, str):
        return None
    return value if not value or _HASHED.fullmatch(value) else hashed(value)


def uuid(value: Any) -> str | None:
    """Return a UUID; any other text becomes a digest."""
    if isinstance(value, str) and len(value) == _UUID_CHARS and _UUID.fullmatch(value):
        return value
    return digest(value)


def queue(value: Any, key: TokenKey) -> str | None:
    """Return the token of a queue's name."""
    return mask_queue(value, key) if isinstance(value, str) else None


def length(value: Any) -> int | None:
    """Return how long a text is; a number is the length of one."""
    if isinstance(value, str):
        return len(value)
    return value if isinstance(value, int) and 0 <= value <= _COUNT_LIMIT else None


def presence(value: Any) -> bool | None:
    """Return whether there is a text."""
    return bool(value) if isinstance(value, str | bool) else None


def url(value: Any) -> str | None:
    """Return scheme, host and path of an address."""
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    host = parts.hostname or ""
    plain = parts.scheme and _HOST.fullmatch(host) and _PATH.fullmatch(parts.path)
    return f"{parts.scheme}://{host}{parts.path}" if plain else None


def origin(value: Any) -> str | None:
    """Return scheme, host and port of an address."""
    if not isinstance(value, str):
        return None
    return _short_origin(value) if len(value) <= MAX_KEPT else _cut_origin(value)


def _cut_origin(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{port}" if parts.scheme and _HOST.fullmatch(host) else None


_short_origin = lru_cache(maxsize=1_000)(_cut_origin)


def route(value: Any) -> str | None:
    """Return the first segments of a path of the widget, ids replaced."""
    if not isinstance(value, str) or not value.startswith("/"):
        return None
    segments = value.split("?")[0].split("/")[1 : 1 + _ROUTE_SEGMENTS]
    safe = [part if _SEGMENT.fullmatch(part) and not _LONG_DIGITS.search(part) else ":id" for part in segments if part]
    return "/" + "/".join(safe)


def login(value: Any) -> str | None:
    """Return a login number: it is the key of its user and stays readable, also where it is incomplete."""
    return value if isinstance(value, str) and len(value) <= MAX_KEPT and _is_login(value) else None


@lru_cache(maxsize=10_000)
def _is_login(text: str) -> bool:
    return extension_key(text) is not None or _INCOMPLETE_LOGIN.fullmatch(text) is not None


def hashed(text: str) -> str:
    """Return `sha256:` and the digest of an id of high entropy, which must join but not be read (DECISIONS 42)."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
