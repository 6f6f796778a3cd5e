"""One Faust agent a stage: it hands the batches of the input topic to the engine, one after the other."""

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any

from streams.engine.batch import Batch, BatchSchema
from streams.engine.stage import Stage


def add_agent(app: Any, stage: Stage, fold: Callable[[Batch], Awaitable[None]]) -> None:
    """Add the agent of a stage to a Faust app. Faust's acks play no part: what is folded is committed by the engine."""
    topic = app.topic(stage.input_topic, schema=BatchSchema(), key_type=bytes, value_type=bytes, acks=False)

    @app.agent(topic, name=stage.name)  # type: ignore[untyped-decorator]  # Faust has no stubs
    async def agent(batches: AsyncIterable[Batch]) -> None:
        async for batch in batches:
            await fold(batch)
