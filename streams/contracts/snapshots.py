"""Saved state: the memory of the domain as bytes and back, with a version and the time it is due (DECISIONS 51).

One saved value is the version (1 byte), the stream time at which it needs attention (8 bytes, signed, big-endian) and
a JSON document. The due time stands in front so that a recovery can build its timers without reading the rest.
"""

import struct
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import orjson

from streams.contracts import coverage_state, extension_state, interval_state, leg_state, named_state, page_load_state
from streams.contracts.upgrades import upgraded

T = TypeVar("T")
VERSION = 5
LAST_NAMED = 2
"""The last version in which page loads, extensions, legs and messages were objects with the names of their fields."""
NEVER = 2**63 - 1
"""Due time of a value that waits for nothing."""
_HEAD = struct.Struct(">Bq")
_DAMAGES = (ValueError, TypeError, KeyError, IndexError, AttributeError)


class SavedStateError(Exception):
    """Saved state that this release cannot read: the worker must not go on."""


class Snapshot(Generic[T]):
    """Saves and reads one kind of value as a JSON document."""

    # NB: Any, because a document is whatever JSON has; the readers give it its types back.
    def __init__(
        self,
        name: str,
        document: Callable[[T], Any],
        read: Callable[[Any], T],
        read_named: Callable[[Any], T] | None = None,
    ):
        """Prepare the kind.

        Args:
            name: What it is called in the upgrades and in complaints.
            document: Makes a value a document.
            read: Makes a document a value again; may raise what a damaged one leads to (`_DAMAGES`).
            read_named: Reads documents up to LAST_NAMED, where they were of another form.
        """
        self._name = name
        self._document = document
        self._read = read
        self._read_named = read_named

    def save(self, value: T, due: int) -> bytes:
        """Return the bytes of a value."""
        return _HEAD.pack(VERSION, due) + orjson.dumps(self._document(value))

    def read(self, saved: bytes) -> T:
        """Return the value of the bytes.

        Raises:
            SavedStateError: Made by a newer release, or damaged. The text quotes nothing of the state.
        """
        body = _body(saved, self._name)
        try:
            document = orjson.loads(body)
            if self._read_named is not None and saved[0] <= LAST_NAMED:
                return self._read_named(upgraded(self._name, saved[0], LAST_NAMED, document))
            return self._read(upgraded(self._name, saved[0], VERSION, document))
        except _DAMAGES:
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


def _clock_document(clock: dict[int, int]) -> dict[str, int]:
    return {str(source): time for source, time in clock.items()}


def _read_clock(document: dict[str, int]) -> dict[int, int]:
    return {int(source): time for source, time in document.items()}


PAGE_LOAD = Snapshot(
    "PageLoad",
    page_load_state.page_load_document,
    page_load_state.read_page_load,
    named_state.page_load_of_names,
)
EXTENSION = Snapshot(
    "Extension",
    extension_state.extension_document,
    extension_state.read_extension,
    named_state.extension_of_names,
)
LEG = Snapshot("Leg", leg_state.leg_document, leg_state.read_leg, named_state.leg_of_names)
MESSAGE = Snapshot(
    "MessageState",
    extension_state.message_document,
    extension_state.read_message,
    named_state.message_of_names,
)
DIARY = Snapshot("Diary", interval_state.diary_document, interval_state.read_diary)
PAGE = Snapshot("Page", interval_state.page_document, interval_state.read_page)
COUNTED = Snapshot("Counted", interval_state.counted_document, interval_state.read_counted)
SCOPE_BOOK = Snapshot("ScopeBook", interval_state.book_document, interval_state.read_book)
CALL_LEGS = Snapshot("CallLegs", interval_state.call_document, interval_state.read_call)
HEARD = Snapshot("Heard", coverage_state.heard_document, coverage_state.read_heard)
COVERAGE = Snapshot("Coverage", coverage_state.coverage_document, coverage_state.read_coverage)
ROUNDS = Snapshot("Rounds", coverage_state.rounds_document, coverage_state.read_rounds)
NAME: Snapshot[str] = Snapshot("name", str, str)
"""The leg id that a name of a leg stands for."""
CLOCK: Snapshot[dict[int, int]] = Snapshot("clock", _clock_document, _read_clock)
"""The latest instant read from each source partition, ms since the epoch."""
