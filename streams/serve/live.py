"""The view that is served now, and how far it is behind Kafka."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from streams.serve.view import View

STALE_MS: Final = 5_000
"""Later than this a view is called stale."""


@dataclass
class Live:
    """What the feed keeps up to date and the service answers from."""

    view: View
    now: Callable[[], int]
    """The clock, milliseconds since the epoch."""
    as_of: int | None = None
    """Everything that was committed up to this instant is in the view; None while it is read for the first time."""
    remaining: int | None = None
    """Records still to be read at the start; None: not known yet."""
    notes: dict[str, str] = field(default_factory=dict)
    """By topic: why it is not read, or what is wrong."""

    @property
    def stale_ms(self) -> int | None:
        """How old the view may be; None while there is none."""
        return None if self.as_of is None else max(0, self.now() - self.as_of)

    @property
    def is_stale(self) -> bool:
        """Tell whether the view is older than a viewer would think."""
        return self.stale_ms is not None and self.stale_ms > STALE_MS

    def problem(self) -> str | None:
        """Return why nothing can be answered yet, None if it can."""
        if self.view.ready:
            return None
        rest = "" if self.remaining is None else f", {self.remaining} records are left"
        return f"The topics are being read{rest}."

    def status(self) -> dict[str, Any]:
        """Return what a viewer should know of the service."""
        view = self.view
        return {
            "ready": view.ready,
            "now": self.now(),
            "as_of": self.as_of,
            "stale_ms": self.stale_ms,
            "stale": self.is_stale,
            "notes": [self.notes[topic] for topic in sorted(self.notes)],
            "active_calls": len(view.active),
            "presences": len(view.presence),
            "call_records": len(view.records.by_leg),
            "interval_rows": view.intervals.count,
            "scopes": view.scopes(),
        }
