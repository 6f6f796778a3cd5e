"""One connection of a client: bounded headers, bounded idleness, and errors that repeat nothing of what was sent."""

import logging
from typing import Any, Final

from aiohttp import web

from streams.gateway.answers import Code, declined
from streams.telemetry.logs import event

MAX_LINE_BYTES: Final = 4096
MAX_HEADERS: Final = 64
READ_BUFFER_BYTES: Final = 16 * 1024
LINGER_SECONDS: Final = 2.0
log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """aiohttp's protocol of one connection; `idle_seconds` also bounds how long headers may take to come."""

    __slots__ = ()

    def __init__(self, manager: web.Server, *, loop: Any, idle_seconds: float):
        """Serve a connection for the server."""
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=idle_seconds,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to have none
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            lingering_time=LINGER_SECONDS,
            read_bufsize=READ_BUFFER_BYTES,
            auto_decompress=False,
        )

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what was sent
    ) -> web.StreamResponse:
        """Answer what could not be read as HTTP, or what failed."""
        code = Code.BAD_HTTP if status < 500 else Code.INTERNAL_ERROR
        if code is Code.INTERNAL_ERROR:
            log.error(event("request.failed", error=type(exc).__name__))
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        answer = web.Response(status=code.value.status, body=declined(code), content_type="application/json")
        answer.force_close()
        return answer

    def log_exception(self, *_: Any, **told: Any) -> None:
        """Log the name of an error; its text may repeat what was sent."""
        log.error(event("connection.failed", error=type(told.get("exc_info")).__name__))


class Listener(web.Server):
    """Makes a connection object for each client, up to a number; the others are cut at once."""

    def __init__(self, handler: Any, *, idle_seconds: float, most: int):
        """Let the handler answer every request."""
        super().__init__(handler)
        self._idle_seconds, self._most = idle_seconds, most

    def __call__(self) -> web.RequestHandler:
        """Return the protocol of a new connection."""
        return Connection(self, loop=self._loop, idle_seconds=self._idle_seconds)

    def connection_made(self, handler: web.RequestHandler, transport: Any) -> None:
        """Count a connection."""
        super().connection_made(handler, transport)
        if len(self._connections) > self._most:
            transport.abort()
