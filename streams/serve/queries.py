"""What a request asks for: parameters read and checked. No answer repeats what was sent."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from streams.domain.identity import extension_key
from streams.serve.changes import Kind
from streams.serve.held import NOWHERE, Tags

LIMIT: Final = 100
MOST: Final = 1_000
LONGEST: Final = 200
"""Characters of a parameter."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class BadQueryError(ValueError):
    """A parameter that is unknown or wrong; the text names the allowed ones and repeats nothing."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a request."""

    name: str
    about: str
    schema: Mapping[str, Any]
    """JSON Schema, for the description of the service."""
    read: Callable[[str], Any]
    """Raises ValueError, whose text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request, read."""

    tags: Tags = NOWHERE
    limit: int = LIMIT
    cursor: list[Any] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """The others by name."""

    def get(self, name: str) -> Any:
        """Return a parameter, None where it was not given."""
        return self.given.get(name)


def _text(value: str) -> str:
    if not value or len(value) > LONGEST or _CONTROL.search(value):
        raise ValueError(f"it is a text of 1 to {LONGEST} characters")
    return value


def _word(words: Iterable[str]) -> Callable[[str], str]:
    allowed = list(words)

    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"it is one of {', '.join(allowed)}")
        return value

    return read


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 15 or not least <= int(value) <= most:
            raise ValueError(f"it is a whole number from {least} to {most}")
        return int(value)

    return read


def _key(value: str) -> str:
    key = extension_key(value)
    if key is None:
        raise ValueError("it is main number, star, extension number; write the plus in front of it as %2B")
    return key


def _kinds(value: str) -> frozenset[Kind]:
    named = value.split(",")
    if not set(named) <= set(Kind):
        raise ValueError(f"they are, separated by commas: {', '.join(Kind)}")
    return frozenset(map(Kind, named))


def encode_cursor(place: list[Any]) -> str:
    """Return the text that stands for a place between two pages."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _cursor(value: str) -> list[Any]:
    try:
        place = orjson.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (binascii.Error, ValueError):
        place = None
    if not isinstance(place, list) or len(value) > 2_000:
        raise ValueError("it is the next_cursor of the page before, unchanged")
    return place


TEXT: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST}
TEAM: Final = Parameter("team", "Only this team.", TEXT, _text)
SITE: Final = Parameter("site", "Only this site.", TEXT, _text)
QUEUE: Final = Parameter("queue", "Only this call queue.", TEXT, _text)
WHERE: Final = (TEAM, SITE, QUEUE)
EXTENSION: Final = Parameter("extension_key", "Only this extension: main number, star, extension number.", TEXT, _key)
PAGING: Final = (
    Parameter(
        "limit",
        "Most items of a page.",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
        _number(1, MOST),
    ),
    Parameter("cursor", "`next_cursor` of the page before.", {"type": "string", "maxLength": 2_000}, _cursor),
)


def instant(name: str, about: str) -> Parameter:
    """Return a parameter that is an instant, milliseconds since the epoch."""
    most = 10**14
    return Parameter(name, about, {"type": "integer", "minimum": 0, "maximum": most}, _number(0, most))


def text(name: str, about: str) -> Parameter:
    """Return a parameter that is any short text."""
    return Parameter(name, about, TEXT, _text)


def word(name: str, about: str, words: Iterable[str]) -> Parameter:
    """Return a parameter that is one of some words."""
    allowed = list(words)
    return Parameter(name, about, {"type": "string", "enum": allowed}, _word(allowed))


def one_of_numbers(name: str, about: str, numbers: Iterable[int]) -> Parameter:
    """Return a parameter that is one of some whole numbers."""
    allowed = list(numbers)
    reads = _word(map(str, allowed))
    return Parameter(name, about, {"type": "integer", "enum": allowed}, lambda value: int(reads(value)))


KINDS: Final = Parameter(
    "kinds",
    f"Only these events, separated by commas: {', '.join(Kind)}.",
    {"type": "string"},
    _kinds,
)
SINCE: Final = text("since", "Version to go on from, as the header Widget-Streams-Version gave it.")


def read(allowed: Iterable[Parameter], given: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a request.

    Raises:
        BadQueryError: One is unknown, doubled or wrong.
    """
    known = {parameter.name: parameter for parameter in allowed}
    values: dict[str, Any] = {}
    for name, value in given:
        if name not in known:
            raise BadQueryError(f"There is a parameter that is none here. They are: {', '.join(known) or 'none'}.")
        if name in values:
            raise BadQueryError(f"The parameter {name} was given twice.")
        try:
            values[name] = known[name].read(value)
        except ValueError as error:
            raise BadQueryError(f"The parameter {name} is wrong: {error}.") from None
    tags = frozenset(f"{kind}:{values.pop(kind)}" for kind in ("team", "site", "queue") if kind in values)
    return Query(tags, values.pop("limit", LIMIT), values.pop("cursor", None), values)
