"""Server-sent events: every viewer is told the changes it wants, in order, and can go on where it was.

All viewers read the same ring of changes; a viewer who is behind by more than the ring holds is told `reset`, and one
who does not read what it is sent is cut. What viewers with the same wish are sent is made once.
"""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import Final

import orjson
from aiohttp import web

from streams.serve.changes import Change, Interest, told
from streams.serve.live import Live
from streams.telemetry.serve_metrics import ServeMetrics

TICK_SECONDS: Final = 0.1
"""Changes are gathered for so long and sent together."""
SUMMARY_SECONDS: Final = 1.0
STATUS_SECONDS: Final = 10.0
"""How often every viewer is told the status; it is the sign of life too."""
SWEEP_SECONDS: Final = 60.0
STALL_SECONDS: Final = 10.0
SEND_BYTES: Final = 256 * 1024
"""What the kernel keeps for a viewer that does not read; left to itself it would be megabytes for each."""
HEADERS: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def frame(event: str, body: bytes, version: str | None = None) -> bytes:
    """Return one event as it is sent; JSON has no line breaks."""
    number = b"" if version is None else b"id: %b\n" % version.encode()
    return b"%bevent: %b\ndata: %b\n\n" % (number, event.encode(), body)


@dataclass
class Viewer:
    """Where one viewer is."""

    interest: Interest
    generation: str
    number: int
    status: int
    """Number of the status that it was told last."""


@dataclass
class Streams:
    """All viewers of a process."""

    live: Live
    metrics: ServeMetrics
    most: int
    stall_seconds: float = STALL_SECONDS
    open: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _status: bytes = b""
    _status_number: int = 0
    _made: dict[tuple[Interest, int, int], bytes] = field(default_factory=dict)
    _ended: bool = False

    async def run(self) -> None:
        """Wake the viewers when there is something to tell, until cancelled."""
        clock = asyncio.get_running_loop().time
        told_at, swept_at, status_at, seen, was = 0.0, clock(), 0.0, "", (False, False)
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now, live = clock(), self.live
            if live.view.ready and now - told_at >= SUMMARY_SECONDS:
                told_at = now
                live.view.tell_summaries(live.now())
            if now - swept_at >= SWEEP_SECONDS:
                swept_at = now
                self._sweep()
            due = now - status_at >= STATUS_SECONDS or (live.view.ready, live.is_stale) != was
            if due:
                status_at, was = now, (live.view.ready, live.is_stale)
                self._status = orjson.dumps(live.status())
                self._status_number += 1
            if due or live.view.changes.version != seen:
                seen = live.view.changes.version
                self._rouse()

    def _sweep(self) -> None:
        self.live.view.pass_time(self.live.now())
        self.live.view.forget_old_intervals(self.live.now())

    def _rouse(self) -> None:
        self._made.clear()
        self._wake.set()
        self._wake = asyncio.Event()

    def end(self) -> None:
        """End all streams."""
        self._ended = True
        self._rouse()

    async def serve(self, request: web.Request, interest: Interest, version: str | None) -> web.StreamResponse:
        """Tell a viewer everything from a version on, until it leaves."""
        response = web.StreamResponse(headers=HEADERS)
        _keep_little(request)
        self.open += 1
        try:
            await response.prepare(request)
            await self._tell(response, interest, version)
        except TimeoutError:
            self.metrics.cut.inc()
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # the viewer has left
        finally:
            self.open -= 1
        return response

    async def _tell(self, response: web.StreamResponse, interest: Interest, version: str | None) -> None:
        changes = self.live.view.changes
        number = None if version is None else changes.position(version)
        hello = self._hello(resumed=number is not None, asked=version is not None)
        viewer = Viewer(interest, changes.generation, changes.number if number is None else number, self._status_number)
        await self._write(response, hello)
        while not self._ended:
            wake = self._wake
            if text := self._news(viewer):
                await self._write(response, text)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * STATUS_SECONDS):
                    await wake.wait()

    def _hello(self, *, resumed: bool, asked: bool) -> bytes:
        status = frame("status", orjson.dumps(self.live.status()))
        retry = b"retry: 2000\n\n"
        if resumed:
            return retry + status
        why = b'{"reason":"What came after that version is not here any more: ask for everything anew."}'
        version = self.live.view.changes.version
        return retry + (frame("reset", why, version) if asked else frame("hello", b"{}", version)) + status

    def _news(self, viewer: Viewer) -> bytes:
        changes = self.live.view.changes
        missed = changes.since(viewer.number) if viewer.generation == changes.generation else None
        if missed is None:
            text = frame("reset", b'{"reason":"The service reads everything anew."}', changes.version)
        else:
            text = self._text(viewer, missed)
        viewer.generation, viewer.number = changes.generation, changes.number
        if viewer.status != self._status_number:
            viewer.status = self._status_number
            # It carries the version, so that a viewer of something quiet can go on from here.
            text += frame("status", self._status, changes.version)
        return text

    def _text(self, viewer: Viewer, missed: list[Change]) -> bytes:
        wish = viewer.interest, viewer.number, viewer.number + len(missed)
        if (made := self._made.get(wish)) is None:
            made = self._made[wish] = b"".join(map(self._frame, told(missed, viewer.interest)))
        return made

    def _frame(self, change: Change) -> bytes:
        return frame(change.kind, change.json, f"{self.live.view.changes.generation}-{change.number}")

    async def _write(self, response: web.StreamResponse, text: bytes) -> None:
        async with asyncio.timeout(self.stall_seconds):
            await response.write(text)


def _keep_little(request: web.Request) -> None:
    carrier = request.transport.get_extra_info("socket") if request.transport else None
    if carrier is not None:
        carrier.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
