"""Memory of a process that holds state for long: what a burst needed and nothing holds any more goes back.

A worker that reads a backlog frees most of what it allocated, but glibc keeps the holes for itself: half as much again
as the state takes (`python -m tests.bench --only memory`).
"""

import asyncio
import ctypes
from collections.abc import Callable

EVERY_SECONDS = 5.0
_M_ARENA_MAX = -8
"""Number of the setting in glibc's malloc.h."""


def one_arena() -> None:
    """Let all threads allocate from one heap; to be called before there is a second one.

    glibc gives each thread a heap of its own, whose holes the others cannot use. Under the interpreter's lock one is
    enough. Nothing happens where the C library has no such setting.
    """
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    if setting is not None:
        setting(_M_ARENA_MAX, 1)


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
