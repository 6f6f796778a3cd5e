"""Read a request's body within bounds of size, time and memory."""

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streams.gateway.answers import Code
from streams.gateway.budget import Budget
from streams.gateway.decompression import gunzip

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The request is answered with this code."""

    def __init__(self, code: Code, wait_seconds: float = 0.0):
        """Answer with the code; what may be sent again had better wait so long."""
        self.code, self.wait_seconds = code, wait_seconds


class Lent:
    """Bytes of the budget that one request holds until it is answered."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: Budget):
        """Hold nothing yet."""
        self._budget, self._size = budget, 0

    def __enter__(self) -> "Lent":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give all of it back."""
        self._budget.give(self._size)

    def more(self, size: int) -> None:
        """Hold more.

        Raises:
            Refused: There is no more.
        """
        if not self._budget.take(size):
            raise Refused(Code.BUSY)
        self._size += size


async def read_body(request: web.BaseRequest, lent: Lent, *, limit: int, seconds: float) -> bytes | bytearray:
    """Return the body, decompressed.

    Raises:
        Refused: It is too large or too slow, or memory is short.
        ConnectionError: The client is gone.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Refused(Code.UNSUPPORTED_ENCODING)
    declared = request.content_length
    if declared is not None and declared > limit:
        raise Refused(Code.BODY_TOO_LARGE)
    if "Expect" in request.headers and request.transport is not None:
        request.transport.write(CONTINUE)
    try:
        if request.content.is_eof():  # Small ones come with their headers: no timer is needed.
            body: bytes | bytearray = _bounded(await request.content.readany(), lent, limit)
        else:
            async with asyncio.timeout(seconds):
                body = await _collect(request, lent, limit)
    except TimeoutError:
        raise Refused(Code.REQUEST_TIMEOUT) from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise Refused(Code.BAD_HTTP) from None
    return body if encoding == "identity" else _inflated(body, lent, limit)


async def _collect(request: web.BaseRequest, lent: Lent, limit: int) -> bytearray:
    body = bytearray()
    while chunk := await request.content.readany():
        body += _bounded(chunk, lent, limit - len(body))
    return body


def _bounded(chunk: bytes, lent: Lent, limit: int) -> bytes:
    if len(chunk) > limit:
        raise Refused(Code.BODY_TOO_LARGE)
    lent.more(len(chunk))
    return chunk


def _inflated(body: bytes | bytearray, lent: Lent, limit: int) -> bytes:
    # NB: taken before it is inflated, as if it were the largest; what it is not is given back.
    lent.more(limit)
    inflated = gunzip(body, limit)
    if isinstance(inflated, Code):
        raise Refused(inflated)
    return inflated
