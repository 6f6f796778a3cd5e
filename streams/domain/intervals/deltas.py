"""What an extension tells its scopes: the changes of its windows since it told them last (CONTRACT 2, topic 12)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from streams.domain.intervals.numbers import Numbers
from streams.domain.intervals.windows import DAY, Window, fixed
from streams.domain.postings import Row


class Change(NamedTuple):
    """Numbers to be added to some windows, which have an instant in common."""

    windows: tuple[Window, ...]
    numbers: Numbers
    call_id: str = ""
    """The call that an inbound leg belongs to, for counting each call once."""


def delta_row(extension_key: str, serial: int, told_at: int, changes: Iterable[Change]) -> Row:
    """Return the ScopeDelta row of changes, without the partition that tells it."""
    return {
        "extension_key": extension_key,
        "serial": serial,
        "told_at": told_at,
        "changes": [_change_row(change) for change in changes],
    }


def _change_row(change: Change) -> Row:
    """Return a change; its windows are told by their lengths and the latest of their starts, which all contain."""
    row: Row = {
        "at": max(window.start for window in change.windows),
        "lengths": [window.seconds for window in change.windows],
        "numbers": change.numbers,
    }
    for window in change.windows:
        if window.seconds == DAY:
            row["day"] = {"start": window.start, "end": window.end}
    if change.call_id:
        row["call_id"] = change.call_id
    return row


def changes_of(row: Mapping[str, Any]) -> list[Change]:
    """Return the changes of a decoded ScopeDelta row."""
    return [Change(tuple(_windows(change)), change["numbers"], change["call_id"] or "") for change in row["changes"]]


def _windows(change: Mapping[str, Any]) -> Iterator[Window]:
    at, day = change["at"], change["day"]
    for seconds in change["lengths"]:
        yield Window(DAY, day["start"], day["end"]) if seconds == DAY else fixed(seconds, at)
