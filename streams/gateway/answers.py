"""What the gateway answers: a closed list of codes, each with its status, whether to send again, and one sentence.

The sentences are constants: nothing that was sent is ever repeated in an answer (CONTRACT 8).
"""

from collections.abc import Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

import orjson


class Meaning(NamedTuple):
    """What stands behind a code of a whole request."""

    status: int
    retry: bool
    """The same request may be taken later."""
    message: str


class Code(Enum):
    """Why a request was not taken."""

    BAD_HTTP = Meaning(400, False, "This is no HTTP request that the gateway reads, or its headers are too large.")
    BAD_JSON = Meaning(400, False, "The body is not JSON in UTF-8.")
    BAD_REQUEST = Meaning(400, False, "The body needs a text `key` and a list `events` with at least one envelope.")
    BAD_ENCODING = Meaning(400, False, "The body is not what its Content-Encoding says.")
    KEY_UNKNOWN = Meaning(401, False, "No site has this write key.")
    TOKEN_REQUIRED = Meaning(401, False, "This site sends with an identity token only.")
    TOKEN_INVALID = Meaning(401, False, "The identity token is not valid: wrong form, key, signature or claims.")
    TOKEN_EXPIRED = Meaning(401, False, "The identity token has expired.")
    ORIGIN_NOT_ALLOWED = Meaning(403, False, "The site of this write key does not name this origin.")
    NOT_FOUND = Meaning(404, False, "There is nothing at this address.")
    METHOD_NOT_ALLOWED = Meaning(405, False, "This address does not take this method.")
    REQUEST_TIMEOUT = Meaning(408, True, "The body came too slowly.")
    BODY_TOO_LARGE = Meaning(413, False, "The body is too large, as sent or decompressed.")
    TOO_MANY_EVENTS = Meaning(413, False, "There are too many events in one request.")
    UNSUPPORTED_TYPE = Meaning(415, False, "Content-Type has to be text/plain or application/json.")
    UNSUPPORTED_ENCODING = Meaning(415, False, "Content-Encoding has to be gzip or absent.")
    NOTHING_ACCEPTED = Meaning(422, False, "No event was taken; each is named with its reason.")
    RATE_LIMITED = Meaning(429, True, "Too many events; send again after Retry-After.")
    INTERNAL_ERROR = Meaning(500, True, "The gateway failed on this request; it is counted and logged.")
    BUSY = Meaning(503, True, "The gateway has too much under way; send again after Retry-After.")
    BROKER_UNAVAILABLE = Meaning(503, True, "Kafka does not confirm writes; send again after Retry-After.")


class EventMeaning(NamedTuple):
    """What stands behind a code of one event."""

    retry: bool
    message: str


class EventCode(Enum):
    """Why one event of a request was not taken."""

    BAD_ENVELOPE = EventMeaning(False, "It is no JSON object, or its `event` is none.")
    TOO_LARGE = EventMeaning(False, "It is larger than 256 KiB, as sent or as it would be written.")
    IDENTITY_MISMATCH = EventMeaning(False, "It says that it belongs to another user than the token's.")
    SESSION_RATE_LIMITED = EventMeaning(True, "Its page load sends more than is allowed.")


class Refusal(NamedTuple):
    """One event that was not taken."""

    position: int
    """In the request, from 0."""
    code: EventCode


class Taken(StrEnum):
    """How a request ended that was answered with 202."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"


OUTCOMES = (*(taken.value for taken in Taken), *(code.name.lower() for code in Code), "disconnected")
"""Every value of the label `outcome` of the gateway's requests."""
EVENT_OUTCOMES = ("accepted", *(code.name.lower() for code in EventCode))
"""Every value of the label `outcome` of the gateway's events."""


def accepted(count: int, refused: Sequence[Refusal] = ()) -> bytes:
    """Return the body of a 202: so many are in Kafka, and these were not taken."""
    if not refused:
        return b'{"accepted":%d,"refused":[]}' % count
    return orjson.dumps({"accepted": count, "refused": _rows(refused)})


def declined(code: Code, refused: Sequence[Refusal] = ()) -> bytes:
    """Return the body of every other answer."""
    meaning = code.value
    return _BARE[code] if not refused else _body(code.name, meaning, _rows(refused))


def _rows(refused: Sequence[Refusal]) -> list[dict[str, object]]:
    return [
        {"index": position, "code": code.name, "message": code.value.message, "retry": code.value.retry}
        for position, code in refused
    ]


def _body(name: str, meaning: Meaning, refused: list[dict[str, object]]) -> bytes:
    told = {"code": name, "message": meaning.message, "retry": meaning.retry}
    return orjson.dumps({"accepted": 0, "refused": refused, **told})


_BARE = {code: _body(code.name, code.value, []) for code in Code}
