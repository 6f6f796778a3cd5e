"""Saved state of versions 1 and 2: JSON objects with the names of the fields, without defaults (DECISIONS 51).

What an object does not name is as in a new value, and what is not known any more is left out. Later versions are rows
(`leg_state`, `extension_state`, `page_load_state`).
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from streams.contracts.leg_state import DIRECTIONS, STATES, WITNESSES
from streams.domain.event_time import Skew
from streams.domain.extension import Extension, Tab
from streams.domain.instants import Instant
from streams.domain.legs.evidence import Closing, Dialog, Hint, Hole, Kind, Leg, Post, Span, Stray
from streams.domain.message_words import MessageType
from streams.domain.messages import MessageState
from streams.domain.page_loads import Counts, PageLoad, Waiting
from streams.domain.presence import PresenceState
from streams.domain.sequences import Sequences
from streams.domain.words import CallEventType, EndSource

# NB: Any, because an object is whatever JSON has; the readers give it its types back.
Named = dict[str, Any]
Read = Callable[[Any], Any]
Readers = Mapping[str, Read]
T = TypeVar("T")


def _listed(read: Read) -> Read:
    return lambda items: [read(item) for item in items]


def _keyed(read: Read) -> Read:
    return lambda items: {key: read(item) for key, item in items.items()}


def _named(kind: type[T], named: Named, readers: Readers) -> T:
    """Return a value of a kind; `readers` say how a field becomes what JSON has no word for."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type] # a dataclass, every one of them
    values = {name: value for name, value in named.items() if name in known}
    read = {name: readers[name](value) for name, value in values.items() if name in readers and value is not None}
    return kind(**{**values, **read})


def _instant(reading: Any) -> Instant:
    return Instant(*reading)


def _closing(named: Named) -> Closing:
    return _named(Closing, named, {"source": EndSource, "at": _instant})


def _dialog(named: Named) -> Dialog:
    names = ("ring", "begun", "answer", "end_answer", "other_answer", "missing")
    return _named(Dialog, named, {"witness": WITNESSES.__getitem__, **dict.fromkeys(names, _instant)})


def _post(named: Named) -> Post:
    return _named(Post, named, {"kind": Kind, "at": _instant, "posted": _instant, "hints": _listed(Hint)})


def _span(named: Named) -> Span:
    return _named(Span, named, {"holes": _listed(lambda hole: _named(Hole, hole, {}))})


def leg_of_names(named: Named) -> Leg:
    """Return a leg."""
    readers: Readers = {
        "direction": DIRECTIONS.__getitem__,
        "dialogs": _listed(_dialog),
        "posts": _listed(_post),
        "spans": _keyed(_span),
        "inferred": _closing,
        "state": STATES.__getitem__,
        "state_since": _instant,
        "muted_since": _instant,
        "told": _listed(CallEventType),
    }
    return _named(Leg, named, readers)


def _stray(named: Named) -> Stray:
    return _named(
        Stray,
        named,
        {"witness": WITNESSES.__getitem__, "at": _instant, "begun": _instant, "direction": DIRECTIONS.__getitem__},
    )


def extension_of_names(named: Named) -> Extension:
    """Return an extension."""
    readers: Readers = {
        "tabs": _keyed(lambda tab: _named(Tab, tab, {"left": _instant, "span": _span})),
        "presence": lambda presence: _named(PresenceState, presence, {}),
        "open_legs": _keyed(STATES.__getitem__),
        "ended": dict.fromkeys,
        "silences": _listed(_closing),
        "strays": _listed(_stray),
    }
    return _named(Extension, named, readers)


def message_of_names(named: Named) -> MessageState:
    """Return what is remembered of a message."""
    return _named(MessageState, named, {"message_type": MessageType, "direction": DIRECTIONS.__getitem__})


def page_load_of_names(named: Named) -> PageLoad:
    """Return a page load."""
    readers: Readers = {
        "read": lambda read: _named(Sequences, read, {}),
        "skew": lambda skew: _named(Skew, skew, {}),
        "counts": lambda counts: _named(Counts, counts, {}),
        "waiting": _listed(lambda waiting: _named(Waiting, waiting, {})),
    }
    return _named(PageLoad, named, readers)
