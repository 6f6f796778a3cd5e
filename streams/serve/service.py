"""The HTTP service: routes to answers, with who may ask, how often, and the headers that keep browsers strict."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.serve.assets import Asset, assets, etag_of
from streams.serve.changes import Interest
from streams.serve.guard import Guard
from streams.serve.live import Live
from streams.serve.openapi import document
from streams.serve.problems import problem
from streams.serve.queries import BadQueryError, read
from streams.serve.routes import ROUTES, STREAM_PARAMETERS, STREAM_PATH, Route
from streams.serve.streaming import Streams
from streams.telemetry.logs import event
from streams.telemetry.serve_metrics import ServeMetrics

SECURITY: Final = {
    "Server": "widget-streams",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
EXPOSED: Final = "ETag, Widget-Streams-Version, Widget-Streams-As-Of, Widget-Streams-Stale-Ms, Retry-After"
ALLOWED: Final = "Authorization, If-None-Match, Last-Event-ID"
OTHER: Final = "other"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


@dataclass
class Service:
    """Answers the requests of one process."""

    live: Live
    guard: Guard
    streams: Streams
    metrics: ServeMetrics

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._around], client_max_size=1024)
        app.on_response_prepare.append(self._strictly)
        for route in ROUTES:
            app.router.add_get(route.path, self._answer(route))
        app.router.add_get(STREAM_PATH, self._stream, allow_head=False)
        for path, asset in assets().items():
            app.router.add_get(path, _file(asset))
        description = Asset("application/json", (body := orjson.dumps(document())), etag_of(body))
        app.router.add_get("/openapi.json", _file(description))
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        answer = await self._checked(request, handler)
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else OTHER
        self.metrics.requests.labels(route, str(answer.status)).inc()
        if route != STREAM_PATH:
            self.metrics.seconds.labels(route).observe(time.perf_counter() - begun)
        return answer

    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return self._refusal(request) or await handler(request)
        except web.HTTPException as error:
            kept = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            detail = "There is nothing at this address; /openapi.json says what there is."
            return problem(error.status, detail if error.status == 404 else f"{error.reason}.", **kept)
        except BadQueryError as error:
            return problem(400, str(error))
        except ConnectionError:
            raise
        except Exception as error:
            # NB: not its text: it may repeat what was asked.
            log.exception(event("request.failed", error=type(error).__name__), exc_info=False)
            return problem(500, "Something failed in the service; its log has a line about it.")

    async def _strictly(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY)
        response.headers.update(self._cross_origin(request))

    def _cross_origin(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get("Origin", "")
        vary = {"Vary": "Origin"} if self.guard.origins else {}
        if origin not in self.guard.origins:
            return vary
        return {**vary, "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.guard.is_known_host(request.host):
            return problem(421, "Without a token the service is asked by the names of its own machine only: localhost.")
        if not request.path.startswith("/v1/"):
            return None
        if request.method == "OPTIONS":
            return self._preflight(request)
        client = request.remote or ""
        if wait := self.guard.wait(client, time.monotonic()):
            return problem(429, "Ask less often.", Retry_After=str(int(wait) + 1))
        if not self.guard.admits(request.headers):
            return problem(401, "Send the header Authorization: Bearer and a token.", WWW_Authenticate="Bearer")
        if why := self.live.problem():
            return problem(503, why, Retry_After="1")
        return None

    def _preflight(self, request: web.Request) -> web.Response:
        if request.headers.get("Origin", "") not in self.guard.origins:
            return problem(403, "Pages of this origin may not ask; serve_cors_origins lists those that may.")
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": ALLOWED}
        return web.Response(status=204, headers={**allowed, "Access-Control-Max-Age": "600"})

    def _answer(self, route: Route) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            named = [(name, value) for name, value in request.match_info.items()]
            in_query = [one for one in request.query.items() if one[0] not in route.in_path]
            if len(in_query) != len(request.query):
                raise BadQueryError("What is part of the path cannot be a parameter too.")
            body = route.answer(self.live, read(route.parameters, named + in_query))
            if body is None:
                return problem(404, route.absent or "")
            response = _tagged(request, body, etag_of(body), "application/json")
            response.headers.update(self._freshness())
            return response

        return answer

    def _freshness(self) -> dict[str, str]:
        live = self.live
        return {
            "Widget-Streams-Version": live.view.changes.version,
            "Widget-Streams-As-Of": str(live.as_of),
            "Widget-Streams-Stale-Ms": str(live.stale_ms),
        }

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        query = read(STREAM_PARAMETERS, request.query.items())
        if self.streams.open >= self.streams.most:
            return problem(503, "There are as many streams as are allowed.", Retry_After="10")
        every = Interest(tags=query.tags)
        interest = Interest(query.get("kinds") or every.kinds, query.tags)
        return await self.streams.serve(request, interest, request.headers.get("Last-Event-ID") or query.get("since"))

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        why = self.live.problem()
        if why is None and self.live.is_stale:
            # Old answers that say so are better than none: a copy that Kafka left is still one to ask.
            return web.Response(text=f"ok, {(self.live.stale_ms or 0) // 1000} s behind Kafka\n")
        return web.Response(text=(why or "ok") + "\n", status=503 if why else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _file(asset: Asset) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return _tagged(request, asset.body, asset.etag, asset.content_type)

    return answer


def _tagged(request: web.Request, body: bytes, etag: str, content_type: str) -> web.Response:
    """Return the body, or 304 to who has it already."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in known or "*" in known:
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if content_type.startswith("text/") else None
    return web.Response(body=body, content_type=content_type, charset=charset, headers=headers)
