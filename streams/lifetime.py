"""The life of a process that answers HTTP: it waits for Kafka, serves until a signal, and ends what it began.

What the gateway and `serve` have in common; what they listen with and what they do at the end is their own.
"""

import asyncio
import contextlib
import errno
import resource
import signal
from collections.abc import Awaitable, Callable, Sequence

Task = asyncio.Task[None]


def take_all_files() -> None:
    """Take as many open files as the system lets: each connection is one, and the usual soft limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class CannotListenError(Exception):
    """The address is taken or cannot be used; the text says what to do."""

    def __init__(self, service: str, host: str, port: int, error: OSError):
        """Name the address, why it cannot be had, and the service's flags for another one."""
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        super().__init__(
            f"Port {port} on {host} {why}: choose another with --{service}-host and --{service}-port (0 takes a free"
            " port)."
        )


class NoBrokerError(Exception):
    """No broker answered in time at the start; the text says where to look."""

    def __init__(self, bootstrap: str, seconds: float):
        """Name the brokers and how long they were waited for."""
        super().__init__(
            f"No Kafka answered at {bootstrap} for {seconds:g} seconds: is it running, is the address right, can this"
            " machine reach it, do login and encryption fit?"
        )


async def first(tasks: Sequence[Task], *others: Awaitable[object]) -> None:
    """Return when one of the others is done; raise what a task raises when it ends before."""
    waiting = [asyncio.ensure_future(other) for other in others]
    try:
        await asyncio.wait([*tasks, *waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for other in waiting:
            other.cancel()
    for task in tasks:
        if task.done():
            task.result()


async def cancelled(tasks: Sequence[Task]) -> None:
    """Cancel tasks and wait until they have ended, however they do."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def until_signalled(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until SIGTERM or SIGINT sets the event; a second signal does not wait for an end in order."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def end() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, end)
    await run(stop)
