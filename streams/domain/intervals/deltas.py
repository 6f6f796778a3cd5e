"""What an extension tells its scopes: the changes of its windows since it told them last (CONTRACT 2, topic 12)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.domain.intervals.numbers import Numbers
from streams.domain.intervals.windows import Window
from streams.domain.postings import Row


class Change(NamedTuple):
    """Numbers to be added to some windows."""

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
        "changes": [
            {
                "windows": [
                    {"window_seconds": seconds, "window_start": start, "window_end": end}
                    for seconds, start, end in change.windows
                ],
                "numbers": change.numbers,
                "call_id": change.call_id or None,
            }
            for change in changes
        ],
    }


def changes_of(row: Mapping[str, Any]) -> list[Change]:
    """Return the changes of a decoded ScopeDelta row."""
    return [
        Change(
            tuple(
                Window(window["window_seconds"], window["window_start"], window["window_end"])
                for window in change["windows"]
            ),
            change["numbers"],
            change["call_id"] or "",
        )
        for change in row["changes"]
    ]
