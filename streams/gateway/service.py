"""The addresses of the gateway, and the headers that every answer has (CONTRACT 9)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import CIMultiDict
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.gateway import origins
from streams.gateway.answers import Code, declined
from streams.gateway.reception import RETRY_SECONDS, Reception
from streams.gateway.script import Script
from streams.gateway.sites import Sites
from streams.telemetry.gateway_metrics import GatewayMetrics

SECURE: Final = {
    "Server": "widget-streams",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
STRICT_TRANSPORT: Final = {"Strict-Transport-Security": "max-age=31536000"}
SCRIPT_SECONDS: Final = 300
NO_SCRIPT: Final = "The collector was not built into this installation: there is no collector.js.\n"

Page = Callable[[web.BaseRequest], Awaitable[web.Response]]


@dataclass(frozen=True)
class Front:
    """What the addresses show."""

    reception: Reception
    sites: Callable[[], Sites]
    metrics: GatewayMetrics
    script: Script | None
    problem: Callable[[], str | None]
    """Why the gateway is not ready; None when it is."""
    ending: Callable[[], bool]
    """The gateway is about to end: connections are closed after their answer."""
    secure: bool
    """Served by TLS."""


class Service:
    """Answers every request."""

    def __init__(self, front: Front):
        """Show these."""
        self._front = front
        self._heads_of: Sites | None = None
        self._heads: dict[str | None, CIMultiDict[str]] = {}
        self._secure = {**SECURE, **(STRICT_TRANSPORT if front.secure else {})}
        self._pages: Mapping[str, Mapping[str, Page]] = {
            "/v1/events": {"POST": self._events, "OPTIONS": self._preflight},
            "/collector.js": {"GET": self._collector, "HEAD": self._collector},
            "/healthz": {"GET": self._healthz, "HEAD": self._healthz},
            "/readyz": {"GET": self._readyz, "HEAD": self._readyz},
            "/metrics": {"GET": self._metrics},
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer to a request."""
        methods = self._pages.get(request.path)
        if methods is None:
            answer = self._declined(request, Code.NOT_FOUND)
        elif (page := methods.get(request.method)) is None:
            answer = self._declined(request, Code.METHOD_NOT_ALLOWED, {"Allow": ", ".join(methods)})
        else:
            answer = await page(request)
        if self._front.ending():
            answer.force_close()
        return answer

    async def _events(self, request: web.BaseRequest) -> web.Response:
        answer = await self._front.reception.take(request)
        later = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
        return self._json(request, answer.status, answer.body, later)

    async def _preflight(self, request: web.BaseRequest) -> web.Response:
        origin, sites = request.headers.get("Origin"), self._front.sites()
        if origin not in sites.origins:
            return self._declined(request, Code.ORIGIN_NOT_ALLOWED)
        return web.Response(status=204, headers={**self._secure, **origins.told(origin, sites), **origins.PREFLIGHT})

    async def _collector(self, request: web.BaseRequest) -> web.Response:
        script = self._front.script
        if script is None:
            return web.Response(status=404, text=NO_SCRIPT, headers=self._secure)
        headers = {
            **self._secure,
            **origins.told(request.headers.get("Origin"), self._front.sites()),
            "Cache-Control": f"public, max-age={SCRIPT_SECONDS}",
            # A page that isolates itself (Cross-Origin-Embedder-Policy) may load it too.
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": script.etag,
        }
        if script.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=script.body, content_type="text/javascript", charset="utf-8", headers=headers)

    async def _healthz(self, _: web.BaseRequest) -> web.Response:
        return web.Response(text="ok\n", headers=self._secure)

    async def _readyz(self, _: web.BaseRequest) -> web.Response:
        problem = self._front.problem()
        return web.Response(status=503 if problem else 200, text=f"{problem or 'ok'}\n", headers=self._secure)

    async def _metrics(self, _: web.BaseRequest) -> web.Response:
        body = generate_latest(self._front.metrics.registry)
        return web.Response(body=body, headers={**self._secure, "Content-Type": CONTENT_TYPE_LATEST})

    def _declined(self, request: web.BaseRequest, code: Code, more: Mapping[str, str] | None = None) -> web.Response:
        later = {"Retry-After": str(RETRY_SECONDS.get(code, 1))} if code.value.retry else {}
        return self._json(request, code.value.status, declined(code), {**later, **(more or {})})

    def _json(self, request: web.BaseRequest, status: int, body: bytes, more: Mapping[str, str]) -> web.Response:
        headers = self._head(request.headers.get("Origin"), self._front.sites()).copy()
        if more:
            headers.update(more)
        return web.Response(status=status, body=body, headers=headers)

    def _head(self, origin: str | None, sites: Sites) -> CIMultiDict[str]:
        """Return the headers of an answer to a page of this origin; made once for each origin that a site names."""
        if sites is not self._heads_of:
            self._heads_of, self._heads = sites, {}
        known = origin if origin in sites.origins else None
        head = self._heads.get(known)
        if head is None:
            told = {**self._secure, **origins.told(known, sites), "Content-Type": "application/json"}
            head = self._heads[known] = CIMultiDict(told)
        return head
