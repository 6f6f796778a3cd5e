"""Who an event belongs to: the extension key (CONTRACT 4, SPEC 3.6)."""

import re
from functools import lru_cache

KEY = re.compile(r"\+?(\d{5,15})\*(\d{1,8})", re.ASCII)
MAX_CHARS = 25
"""Length of the longest key."""


def extension_key(login_number: str | None) -> str | None:
    """Return `+<main number>*<extension>`, or None where the number is no key.

    A number without extension (`+16505550100*`), without main number (`*101`) or without `*` names nobody for sure.
    """
    return _key(login_number) if login_number and len(login_number) <= MAX_CHARS else None


@lru_cache(maxsize=10_000)
def _key(login_number: str) -> str | None:
    match = KEY.fullmatch(login_number)
    if match is None or not match[2].strip("0"):
        return None
    return f"+{match[1]}*{match[2]}"
