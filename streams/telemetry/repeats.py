"""Keeps a library that says the same thing fifty times a second from filling the log of an outage."""

import logging
import re

WITHIN_SECONDS = 60.0
MAX_TEXTS = 1_000
OURS = "streams"
_DIGITS = re.compile(r"\d+")


class RepeatFilter(logging.Filter):
    """Lets a library's line pass once in WITHIN_SECONDS; the next one says how many like it were held back.

    Lines are alike when logger, level and text are, digits aside. Our own lines are never held back.
    """

    def __init__(self) -> None:
        """Know of no line yet."""
        super().__init__()
        self._passed: dict[tuple[str, int, str], tuple[float, int]] = {}
        """Per kind of line: when one passed last, seconds since the epoch, and how many were held back since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line passes."""
        if record.name.partition(".")[0] == OURS:
            return True
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return True  # A line with the wrong values: logging says so itself, and the library goes on.
        kind = record.name, record.levelno, _DIGITS.sub("0", text)
        passed_at, held_back = self._passed.get(kind, (float("-inf"), 0))
        if record.created - passed_at < WITHIN_SECONDS:
            self._passed[kind] = passed_at, held_back + 1
            return False
        if len(self._passed) >= MAX_TEXTS:
            self._passed.clear()
        self._passed[kind] = record.created, 0
        if held_back:
            record.msg, record.args = f"{text} ({held_back} more like it since)", ()
        return True
