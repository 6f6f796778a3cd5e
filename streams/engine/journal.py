"""How the engine logs: a constant event name, dotted and in the past tense, then key=value."""

import logging

log = logging.getLogger("streams.engine")


def told(event: str, **fields: object) -> str:
    """Return the text of a log line; a value with blanks is quoted, so that the line can be taken apart again."""
    return " ".join([event, *(f"{key}={_shown(value)}" for key, value in fields.items())])


def _shown(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return repr(text) if not text or " " in text else text
