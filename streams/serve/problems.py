"""Answers that say what is wrong (RFC 9457), and repeat nothing of what was sent."""

from typing import Final

import orjson
from aiohttp import web

TITLES: Final = {
    400: "The question is wrong",
    401: "A token is needed",
    403: "Not from there",
    404: "There is no such thing",
    405: "Only GET and HEAD are answered",
    421: "Not by that name",
    429: "Too many questions",
    500: "The service failed",
    503: "Not now",
}


def problem(status: int, detail: str, **headers: str) -> web.Response:
    """Return the answer for a status; a header is written with underscores."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "The request failed"),
        "status": status,
        "detail": detail,
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/problem+json", headers=named)
