"""Phone numbers as the widget writes them, made joinable and then unreadable (SPEC 2, CONTRACT 8, DECISIONS 41).

A number becomes `{"token", "country", "kind"}`. The token is a keyed HMAC-SHA-256 of the normalised number with the
key's version in front (`k1.…`), so that joins hold across widgets and key rotations can be told apart. Extension
numbers inside the company stay readable.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

DEVELOPMENT_KEY = b"widget-streams development key, public, not for production"
Remote = dict[str, str | None]

TOKEN = re.compile(r"[kq]\d{1,4}\.[A-Za-z0-9_-]{22}", re.ASCII)
_EXTENSION = re.compile(r"\d{1,8}", re.ASCII)
_OWN = re.compile(r"\+?\d{5,15}\*(\d{1,8})", re.ASCII)
_DIALED = re.compile(r"\+?\d{9,15}", re.ASCII)
_READABLE = re.compile(r"\+\d{9,15}", re.ASCII)
_PUNCTUATION = str.maketrans("", "", " ()-./\u00a0")
_SERVICE = frozenset({"112", "911", "933", "999", "211", "311", "411", "511", "611", "711", "811", "988"})
_ANONYMOUS = frozenset({"anonymous", "unknown", "restricted", "private", "unavailable", "blocked"})
_KINDS = frozenset({"UNKNOWN", "EXTERNAL", "EXTENSION", "ANONYMOUS", "CONFERENCE", "SERVICE"})
_MASKED = frozenset({"token", "country", "kind"})
_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class TokenKey:
    """The secret that turns personal values into tokens.

    It equals itself only: whoever remembers tokens asks for its hash with every number.

    Attributes:
        secret: At least 16 bytes, kept out of logs and topics.
        version: Stands in every token, raised when the secret changes.
        raw: True keeps numbers readable: the explicit opt-in `raw_personal_data`.
    """

    secret: bytes
    version: int = 1
    raw: bool = False

    def __repr__(self) -> str:
        """Name the version only."""
        return f"TokenKey(version={self.version}, raw={self.raw})"

    def token(self, mark: str, text: str) -> str:
        """Return the token of a normalised value; mark is `k` for numbers, `q` for queue names."""
        digest = hmac.digest(self.secret, f"{mark}:{text}".encode(), "sha256")[:_TOKEN_BYTES]
        return f"{mark}{self.version}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


@lru_cache(maxsize=50_000)
def mask_number(text: str, key: TokenKey) -> Remote:
    """Return token, country (ISO 3166 alpha-2 or None) and kind of a number in any form of SPEC 2."""
    number = text.strip().translate(_PUNCTUATION)
    if not number:
        return {"token": None, "country": None, "kind": "UNKNOWN"}
    if number.lower() in _ANONYMOUS:
        return {"token": None, "country": None, "kind": "ANONYMOUS"}
    if number.lower().startswith("conf"):
        return {"token": None, "country": None, "kind": "CONFERENCE"}
    if number.startswith("*") or number in _SERVICE:
        return {"token": key.token("k", number), "country": None, "kind": "SERVICE"}
    own = _OWN.fullmatch(number)
    if own or _EXTENSION.fullmatch(number):
        return {"token": own[1] if own else number, "country": None, "kind": "EXTENSION"}
    if not _DIALED.fullmatch(number):
        return {"token": key.token("k", number.lower()), "country": None, "kind": "UNKNOWN"}
    normal = _international(number)
    return {"token": normal if key.raw else key.token("k", normal), "country": _country(normal), "kind": "EXTERNAL"}


def _international(number: str) -> str:
    # Ten digits without a plus are a North American number as people there dial it.
    if number.startswith("+"):
        return number
    return f"+1{number}" if len(number) == 10 else f"+{number}"


def _country(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return region if region and region.isalpha() and len(region) == 2 and region != "ZZ" else None


def mask_again(value: object, key: TokenKey) -> Remote | None:
    """Return what is masked already, unchanged, so that scrubbing twice changes nothing; None for anything else.

    A number that another installation kept readable stays so only where this key says so.
    """
    if not isinstance(value, dict) or len(value) != len(_MASKED) or value.keys() != _MASKED:
        return None
    token, country, kind = value["token"], value["country"], value["kind"]
    if not isinstance(kind, str) or kind not in _KINDS or not (country is None or _is_country(country)):
        return None
    if token is None:
        return value
    if not isinstance(token, str):
        return None
    if kind == "EXTERNAL" and _READABLE.fullmatch(token):
        return mask_number(token, key)
    return value if (_EXTENSION if kind == "EXTENSION" else TOKEN).fullmatch(token) else None


def _is_country(value: object) -> bool:
    return isinstance(value, str) and len(value) == 2


def mask_queue(name: str, key: TokenKey) -> str | None:
    """Return the token of a queue name, compared without case and without the widget's final ` - ` (DECISIONS 47)."""
    if TOKEN.fullmatch(name):
        return name
    normal = name.strip().removesuffix("-").strip().casefold()
    return key.token("q", normal) if normal else None
