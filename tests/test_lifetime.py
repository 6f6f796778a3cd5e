"""The life of a process that answers HTTP: what ends it, and what is told of it."""

import asyncio
import errno
import os
import signal

import pytest

from streams.lifetime import CannotListenError, cancelled, first, until_signalled


async def for_ever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise KeyError("work")


def test_what_a_task_raises_ends_the_wait() -> None:
    """A process does not go on without a part of it."""

    async def run() -> None:
        tasks = [asyncio.create_task(work()) for work in (for_ever, fails)]
        try:
            with pytest.raises(KeyError, match="work"):
                await first(tasks, for_ever())
        finally:
            await cancelled(tasks)
        assert all(task.done() for task in tasks)

    asyncio.run(run())


def test_what_is_waited_for_ends_the_wait() -> None:
    """The tasks go on, and nothing else is left waiting."""

    async def run() -> None:
        tasks = [asyncio.create_task(for_ever())]
        await first(tasks, for_ever(), asyncio.sleep(0))
        assert not tasks[0].done()
        await cancelled(tasks)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_an_end_in_order_and_a_second_one_does_not_wait(number: signal.Signals) -> None:
    """The first sets the event; from then on the signals do what they do by themselves."""

    async def run(stop: asyncio.Event) -> None:
        before = signal.getsignal(number)
        os.kill(os.getpid(), number)
        await stop.wait()
        assert signal.getsignal(number) is not before

    asyncio.run(until_signalled(run))


def test_an_address_that_cannot_be_had_is_named_with_the_way_out() -> None:
    """Taken, or not of this machine."""
    taken = CannotListenError("serve", "127.0.0.1", 80, OSError(errno.EADDRINUSE, "x"))
    assert str(taken).startswith("Port 80 on 127.0.0.1 is taken: choose another with --serve-host and --serve-port")
    other = CannotListenError("gateway", "10.0.0.1", 80, OSError(errno.EADDRNOTAVAIL, "not here"))
    assert "cannot be used (not here): choose another with --gateway-host" in str(other)
