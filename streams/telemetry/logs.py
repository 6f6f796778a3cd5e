"""Structured logs: one line an event, constant dotted names, values beside them; numbers and keys of people masked."""

import logging
import re
import sys
from typing import Any

from streams.telemetry.repeats import RepeatFilter

_NUMBER = re.compile(r"\+?\d{7,15}(\*\d{1,8})?")
MASK = "<number>"
QUIET = {
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "aiokafka": logging.WARNING,
    # It warns of every answer that it retries; what it cannot mend is raised.
    "aiokafka.producer.sender": logging.ERROR,
}
"""Libraries that say too much, and the least level at which they are heard."""


class MaskFormatter(logging.Formatter):
    """Masks whatever looks like a phone number or an extension key, in our lines, libraries' lines and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line as it is written, masked; nothing is dropped."""
        return "\n".join(_NUMBER.sub(MASK, line) if _is_personal(line) else line for line in self._lines(record))

    def _lines(self, record: logging.LogRecord) -> list[str]:
        return super().format(record).split("\n")


def _is_personal(text: str) -> bool:
    # NB: offsets, pids and instants are long digits too: only a plus or an extension makes a number a person's.
    return "+" in text or "*" in text


def setup(level: str) -> None:
    """Log to stderr from this level on, masked."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level.upper())))


def event(name: str, **fields: Any) -> str:
    """Return the text of a log line: its constant name, then key=value."""
    return " ".join([name, *(f"{key}={value}" for key, value in fields.items())])
