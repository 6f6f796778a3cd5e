"""Memory that a burst needed and nothing holds any more goes back to the system.

A worker that reads a backlog frees most of what it allocated, but glibc keeps the holes for itself: half as much again
as the state takes (`python -m tests.bench --only memory`).
"""

import asyncio
import ctypes
from collections.abc import Callable

EVERY_SECONDS = 5.0


def trimmer() -> Callable[[], object] | None:
    """Return what gives unused memory of this process back; None where the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return None if trim is None else lambda: trim(0)


async def give_back() -> None:
    """Give unused memory back every few seconds, beside the event loop; it takes milliseconds."""
    give = trimmer()
    while give is not None:
        await asyncio.sleep(EVERY_SECONDS)
        await asyncio.to_thread(give)
