"""Post envelopes to a gateway when they are due, as the collectors of many browsers do.

Page loads are spread over connections; one connection posts one batch after the other, so that a page load keeps its
order. What the gateway does not take now (CONTRACT 9) is posted again after a while, in its place.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from zlib import crc32

import aiohttp
import orjson

from streams.simulate.envelopes import Due
from streams.simulate.open_loop import OpenLoop

CONNECTIONS: Final = 64
BATCH: Final = 20
SHORTEST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
ANSWER_WITHIN_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.25
HEADERS: Final = {"Content-Type": "text/plain;charset=UTF-8"}


class RefusedError(Exception):
    """The gateway will never take what we send: wrong address, key or token. The text is its code."""


class NoGatewayError(Exception):
    """No gateway answers, or it is not ready; the text says what it said."""


@dataclass(slots=True)
class Lane:
    """What one connection has to post."""

    queue: deque[Due] = field(default_factory=deque)
    is_more: asyncio.Event = field(default_factory=asyncio.Event)
    pause: float = SHORTEST_PAUSE_SECONDS


class Poster(OpenLoop):
    """Posts the envelopes of one run to a gateway."""

    def __init__(self, client: aiohttp.ClientSession, url: str, key: str, clock: Callable[[], int]):
        """Post to the gateway at this URL with this write key; the clock gives ms since the epoch."""
        super().__init__(clock)
        self._client, self._url, self._key = client, url.rstrip("/") + "/v1/events", key
        self._lanes = [Lane() for _ in range(CONNECTIONS)]

    def _hand_over(self, due: Due) -> None:
        # The gateway stamps these; when it was sent is known at each try.
        due.envelope.pop("received_at")
        due.envelope.pop("verified")
        lane = self._lanes[crc32(due.session_id.encode()) % len(self._lanes)]
        lane.queue.append(due)
        lane.is_more.set()

    async def _pump(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for lane in self._lanes:
                    group.create_task(self._serve(lane))
        except ExceptionGroup as refused:
            raise refused.exceptions[0] from None

    async def _serve(self, lane: Lane) -> None:
        while True:
            await lane.is_more.wait()
            lane.is_more.clear()
            while lane.queue:
                batch = list(islice(lane.queue, BATCH))
                kept, wait = await self._post(batch)
                for _ in batch:
                    lane.queue.popleft()
                lane.queue.extendleft(reversed(kept))
                if kept:
                    await asyncio.sleep(max(wait, lane.pause))
                lane.pause = min(lane.pause * 2, LONGEST_PAUSE_SECONDS) if kept else SHORTEST_PAUSE_SECONDS

    async def _post(self, batch: Sequence[Due]) -> tuple[list[Due], float]:
        """Post a batch once; return what has to be posted again, and after how many seconds at least."""
        body = orjson.dumps({"key": self._key, "events": [self._stamped(due) for due in batch]})
        try:
            async with self._client.post(self._url, data=body, headers=HEADERS) as answer:
                told = await _told(answer)
                wait = float(answer.headers.get("Retry-After", 0))
                return self._settle(batch, answer.status, told), wait
        except (aiohttp.ClientError, TimeoutError):
            return list(batch), 0.0

    def _stamped(self, due: Due) -> dict[str, Any]:
        # `sent_at` is the browser's clock at this try: its own at the due time, and what has passed since.
        return due.envelope | {"sent_at": due.envelope["sent_at"] + self._clock() - due.at}

    def _settle(self, batch: Sequence[Due], status: int, told: dict[str, Any]) -> list[Due]:
        code = str(told.get("code", status))
        if status not in (202, 422, 429) and not told.get("retry", True):
            self.sent.first_error = self.sent.first_error or code
            raise RefusedError(code)
        if status != 202 and not told.get("refused"):
            return list(batch)
        refused = {row["index"]: row for row in told["refused"]}
        kept = []
        for place, due in enumerate(batch):
            row = refused.get(place)
            if row is None:
                self._acknowledge(due.at)
            elif row["retry"]:
                kept.append(due)
            else:
                self._fail(row["code"])
        return kept


async def _told(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return the JSON of an answer; something in between may answer without."""
    with suppress(orjson.JSONDecodeError):
        parsed = orjson.loads(await answer.read())
        if isinstance(parsed, dict):
            return parsed
    return {}


def client() -> aiohttp.ClientSession:
    """Return the connections of one run."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(ANSWER_WITHIN_SECONDS))


async def wait_for(session: aiohttp.ClientSession, url: str, within_seconds: float) -> None:
    """Return when the gateway is ready.

    Raises:
        NoGatewayError: It is not, within that time.
    """
    said = "nothing answers"
    try:
        async with asyncio.timeout(within_seconds):
            while True:
                with suppress(aiohttp.ClientError):
                    async with session.get(url.rstrip("/") + "/readyz") as answer:
                        said = (await answer.text()).strip()
                        if answer.status == 200:
                            return
                await asyncio.sleep(LOOK_SECONDS)
    except (TimeoutError, ValueError) as error:
        raise NoGatewayError(said) from error
