"""What happens to one request with events: read, judged, written, answered (CONTRACT 9)."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from aiohttp import web

from streams.contracts.numbers import TokenKey
from streams.gateway import answers
from streams.gateway.answers import Code, EventCode, Refusal, Taken
from streams.gateway.body import Lent, Refused, read_body
from streams.gateway.broker import Broker
from streams.gateway.budget import Budget
from streams.gateway.identity import Identity
from streams.gateway.intake import Batch, Judged, Rules, judge, read_batch, verdict
from streams.gateway.limits import Limits
from streams.gateway.origins import may_send
from streams.gateway.publisher import NO_HEADERS, BufferFullError, Headers, NotWrittenError
from streams.gateway.sites import Site, Sites
from streams.gateway.tokens import Verifier
from streams.telemetry.gateway_metrics import GatewayMetrics
from streams.telemetry.logs import event

MAX_EVENTS: Final = 500
TYPES: Final = frozenset({"text/plain", "application/json"})
RETRY_SECONDS: Final = {Code.BUSY: 2, Code.BROKER_UNAVAILABLE: 5, Code.RATE_LIMITED: 1}
_TRACE: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """The answer to a request with events."""

    status: int
    body: bytes
    outcome: str
    retry_after: int | None = None


@dataclass(frozen=True)
class Desk:
    """What the reception works with."""

    token_key: TokenKey
    sites: Callable[[], Sites]
    verifier: Verifier
    limits: Limits
    budget: Budget
    broker: Broker
    metrics: GatewayMetrics
    body_bytes: int
    read_seconds: float


class Reception:
    """Takes requests with events."""

    def __init__(self, desk: Desk):
        """Work with these."""
        self._desk = desk

    async def take(self, request: web.BaseRequest) -> Answer:
        """Return the answer; every end is counted once, as one outcome.

        Raises:
            ConnectionError: The client is gone; nobody waits for an answer.
        """
        begun = time.monotonic()
        outcome = "disconnected"
        try:
            answer = await self._answer(request)
            outcome = answer.outcome
            return answer
        finally:
            self._desk.metrics.requests[outcome].inc()
            self._desk.metrics.seconds.observe(time.monotonic() - begun)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        try:
            # The body and what was parsed of it are gone before the wait for Kafka begins.
            with Lent(self._desk.budget) as lent:
                judged = await self._judged(request, lent)
            return await self._written(judged, _trace(request))
        except Refused as refused:
            return _declined(refused.code, wait=refused.wait_seconds)
        except BufferFullError:
            return _declined(Code.BUSY)
        except NotWrittenError:
            return _declined(Code.BROKER_UNAVAILABLE)
        except ConnectionError:
            raise
        except Exception as error:
            # NB: the name only; what it says may repeat what was sent.
            log.error(event("request.failed", error=type(error).__name__, where=_where(error)))
            return _declined(Code.INTERNAL_ERROR)

    async def _judged(self, request: web.BaseRequest, lent: Lent) -> Judged:
        desk = self._desk
        if request.content_type not in TYPES:
            raise Refused(Code.UNSUPPORTED_TYPE)
        body = await read_body(request, lent, limit=desk.body_bytes, seconds=desk.read_seconds)
        batch = read_batch(body, MAX_EVENTS)
        if isinstance(batch, Code):
            raise Refused(batch)
        site = self._site(batch, request.headers.get("Origin"))
        identity = self._identity(batch, site)
        now = time.monotonic()
        if wait := desk.limits.admit_site(site.write_key, len(batch.events), now, site.events_per_second):
            raise Refused(Code.RATE_LIMITED, wait)
        rules = Rules(
            token_key=desk.token_key,
            received_at=time.time_ns() // 1_000_000,
            identity=identity,
            identity_required=site.token_required,
            bucket_of=lambda session_id: desk.limits.session(session_id, now),
        )
        return judge(batch, rules)

    def _site(self, batch: Batch, origin: str | None) -> Site:
        site = self._desk.sites().by_key.get(batch.key)
        if site is None:
            raise Refused(Code.KEY_UNKNOWN)
        if not may_send(origin, site):
            raise Refused(Code.ORIGIN_NOT_ALLOWED)
        return site

    def _identity(self, batch: Batch, site: Site) -> Identity | None:
        if batch.token is None:
            if site.token_required:
                raise Refused(Code.TOKEN_REQUIRED)
            return None
        identity = self._desk.verifier.verify(batch.token, time.time())
        if isinstance(identity, Code):
            raise Refused(identity)
        return identity

    async def _written(self, judged: Judged, trace: Headers) -> Answer:
        desk, refused = self._desk, judged.refused
        wait = desk.limits.session_wait
        if judged.records:
            await desk.broker.write(judged.records, trace)
            desk.metrics.events["accepted"].inc(len(judged.records))
        for refusal in refused:
            desk.metrics.events[refusal.code.name.lower()].inc()
        code = None if judged.records else verdict(refused)
        if code is None or not code.value.retry:
            # A collector that is to send all of it again tells this again too.
            for reason, count in judged.dropped.items():
                desk.metrics.collector_drops[reason].inc(count)
        if code is not None:
            return _declined(code, refused, wait=wait)
        later = ceil(wait) if any(refusal.code is EventCode.SESSION_RATE_LIMITED for refusal in refused) else None
        outcome = Taken.PARTIAL if refused else Taken.ACCEPTED
        return Answer(202, answers.accepted(len(judged.records), refused), outcome.value, later)


def _declined(code: Code, refused: Sequence[Refusal] = (), *, wait: float = 0.0) -> Answer:
    meaning = code.value
    retry_after = max(RETRY_SECONDS.get(code, 1), ceil(wait)) if meaning.retry else None
    return Answer(meaning.status, answers.declined(code, refused), code.name.lower(), retry_after)


def _trace(request: web.BaseRequest) -> Headers:
    trace = request.headers.get("traceparent")
    return [("traceparent", trace.encode())] if trace and _TRACE.fullmatch(trace) else NO_HEADERS


def _where(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return "" if traceback is None else f"{traceback.tb_frame.f_code.co_name}:{traceback.tb_lineno}"
