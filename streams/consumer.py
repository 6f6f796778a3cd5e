"""aiokafka's consumer, which can be stopped while a broker is away: every consumer of ours is one.

aiokafka cancels the fetches that it has under way and waits for them, so that the CancelledError of one that waits to
try again comes out of `stop`. The task that called it, in order to connect anew or to say what went wrong, would end
without a word; and the connections, which come after the fetches, would stay open.

Private API of aiokafka: the consumer's fetcher and client (tests/engine/test_private_api.py).
"""

import asyncio

from aiokafka import AIOKafkaConsumer


# The suppression below: aiokafka has no stubs that mypy may follow, so its classes are Any.
class KafkaConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer whose `stop` raises CancelledError only where the task that waits for it was cancelled."""

    async def stop(self) -> None:
        """Disconnect.

        Raises:
            aiokafka.errors.KafkaError: As aiokafka's own.
        """
        # In a task of its own, because there a cancellation from within can be told from one from without.
        ending = asyncio.ensure_future(super().stop())
        try:
            await asyncio.wait({ending})
        finally:
            ending.cancel()
        if ending.cancelled():
            await self._let_go()
        else:
            ending.result()

    async def _let_go(self) -> None:
        """Do what aiokafka leaves undone when a fetch's CancelledError ends its `stop`."""
        for task in (self._fetcher._fetch_task, *self._fetcher._pending_tasks):
            task.cancel()
        await self._client.close()
