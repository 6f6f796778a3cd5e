"""Saved state: the memory of the domain as bytes and back, with a version and the time it is due (DECISIONS 51).

One saved value is the version (1 byte), the stream time at which it needs attention (8 bytes, signed, big-endian) and
JSON without defaults. The due time stands in front so that a recovery can build its timers without reading the rest.
"""

import struct
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from streams.contracts import interval_state
from streams.contracts.upgrades import upgraded
from streams.domain.extension import Extension
from streams.domain.legs.evidence import Leg
from streams.domain.messages import MessageState
from streams.domain.page_loads import PageLoad

T = TypeVar("T")
VERSION = 2
NEVER = 2**63 - 1
"""Due time of a value that waits for nothing."""
_HEAD = struct.Struct(">Bq")


class SavedStateError(Exception):
    """Saved state that this release cannot read: the worker must not go on."""


class Snapshot(Generic[T]):
    """Saves and reads one kind of value."""

    def __init__(self, kind: type[T]):
        """Prepare the kind: a dataclass of the domain, or anything that pydantic reads from JSON."""
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)
        self._name = kind.__name__

    def save(self, value: T, due: int) -> bytes:
        """Return the bytes of a value."""
        return _HEAD.pack(VERSION, due) + self._adapter.dump_json(value, exclude_defaults=True)

    def read(self, saved: bytes) -> T:
        """Return the value of the bytes.

        Raises:
            SavedStateError: Made by a newer release, or damaged. The text quotes nothing of the state.
        """
        try:
            body = _body(saved, self._name)
            if saved[0] == VERSION:
                return self._adapter.validate_json(body)
            return self._adapter.validate_python(upgraded(self._name, saved[0], VERSION, orjson.loads(body)))
        except orjson.JSONDecodeError:
            raise SavedStateError(f"Saved state of a {self._name} is damaged at its beginning.") from None
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"][:2]))
            raise SavedStateError(f"Saved state of a {self._name} is damaged at {where or 'its beginning'}.") from None


class PlainSnapshot(Generic[T]):
    """Saves and reads a kind of value as a JSON document, without a model."""

    def __init__(self, name: str, document: Callable[[T], list[Any]], read: Callable[[list[Any]], T]):
        """Prepare the kind: how a value becomes a document and how it comes back."""
        self._name = name
        self._document = document
        self._read = read

    def save(self, value: T, due: int) -> bytes:
        """Return the bytes of a value."""
        return _HEAD.pack(VERSION, due) + orjson.dumps(self._document(value))

    def read(self, saved: bytes) -> T:
        """Return the value of the bytes.

        Raises:
            SavedStateError: As of `Snapshot`.
        """
        try:
            return self._read(orjson.loads(_body(saved, self._name)))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SavedStateError(f"Saved state of a {self._name} is damaged.") from None


class Saver(Protocol):
    """What a store needs of either."""

    # NB: Any, because a store keeps values of several kinds under one roof.
    def save(self, value: Any, due: int) -> bytes:
        """Return the bytes of a value."""

    def read(self, saved: bytes) -> Any:
        """Return the value of the bytes."""


def _body(saved: bytes, name: str) -> bytes:
    """Return the JSON of a saved value of this release or an older one."""
    if len(saved) < _HEAD.size or saved[0] == 0:
        raise SavedStateError(f"Saved state of a {name} is damaged: {len(saved)} bytes.")
    if saved[0] > VERSION:
        raise SavedStateError(
            f"Saved state of a {name} was made by a newer release (state version {saved[0]}, this one reads"
            f" up to {VERSION}): start the newer release again, or give this one its own group."
        )
    return saved[_HEAD.size :]


def due_of(saved: bytes) -> int:
    """Return the stream time at which a saved value needs attention, without reading it."""
    return int(_HEAD.unpack_from(saved)[1]) if len(saved) >= _HEAD.size else NEVER


PAGE_LOAD = Snapshot(PageLoad)
EXTENSION = Snapshot(Extension)
LEG = Snapshot(Leg)
MESSAGE = Snapshot(MessageState)
DIARY = PlainSnapshot("Diary", interval_state.diary_document, interval_state.read_diary)
PAGE = PlainSnapshot("Page", interval_state.page_document, interval_state.read_page)
COUNTED = PlainSnapshot("Counted", interval_state.counted_document, interval_state.read_counted)
SCOPE_BOOK = PlainSnapshot("ScopeBook", interval_state.book_document, interval_state.read_book)
CALL_LEGS = PlainSnapshot("CallLegs", interval_state.call_document, interval_state.read_call)
NAME: Snapshot[str] = Snapshot(str)
"""The leg id that a name of a leg stands for."""
CLOCK: Snapshot[dict[int, int]] = Snapshot(dict[int, int])
"""The latest instant read from each source partition, ms since the epoch."""
