"""The questions that can be asked: path, parameters, answer, and what the answer looks like, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from streams.serve import pages, queries
from streams.serve.live import Live
from streams.serve.queries import EXTENSION, PAGING, WHERE, BadQueryError, Parameter, Query

Answer = Callable[[Live, Query], bytes | None]
"""The body as JSON; None: there is no such thing."""

STATES: Final = ("DIALING", "RINGING", "CONNECTED", "ON_HOLD", "PARKED", "UNKNOWN")
ACTIVITIES: Final = ("UNKNOWN", "OFFLINE", "AVAILABLE", "BUSY", "DO_NOT_DISTURB", "RINGING", "ON_CALL", "ON_HOLD")
DIRECTIONS: Final = ("INBOUND", "OUTBOUND", "UNKNOWN")
DISPOSITIONS: Final = (
    "ANSWERED", "MISSED", "REJECTED", "VOICEMAIL", "FORWARDED", "REPLIED", "ANSWERED_ELSEWHERE", "UNANSWERED", "BUSY",
    "FAILED", "UNKNOWN",
)  # fmt: skip
SCOPES: Final = ("EXTENSION", "TEAM", "QUEUE", "SITE", "ACCOUNT")
WINDOWS: Final = (60, 900, 1800, 86_400)


@dataclass(frozen=True, slots=True)
class Route:
    """One question."""

    path: str
    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    answer: Answer
    shape: str
    """Name of the answer's schema: a record of Avro, `…Page` of one, or one of this service."""
    absent: str | None = None
    """What is said when there is no such thing."""

    @property
    def in_path(self) -> frozenset[str]:
        """Return the names of the parameters that are part of the path."""
        return frozenset(parameter.name for parameter in self.parameters if f"{{{parameter.name}}}" in self.path)


def _active_of(live: Live, query: Query) -> bytes | None:
    page = pages.active_calls_of(live.view, query.get("extension_key"))
    return page.json() if page else None


def _summary(live: Live, query: Query) -> bytes:
    if len(query.tags) > 1:
        raise BadQueryError("A summary is about one scope: give one of team, site, queue, or none.")
    return orjson.dumps(live.view.summary(query.tags, live.now()))


def _summaries(live: Live, query: Query) -> bytes:
    wanted = query.get("scope_type")
    named = live.view.scopes().items()
    scopes = [f"{kind}:{name}" for kind, names in named if wanted in (None, kind.upper()) for name in names]
    rows = [orjson.dumps(live.view.summary(frozenset((scope,)), live.now())) for scope in scopes]
    return pages.Page(rows).json()


ROUTES: Final = (
    Route(
        "/v1/calls/active",
        "listActiveCalls",
        "Legs that are not over, in the order of leg ids.",
        (*WHERE, queries.word("state", "Only legs in this state.", STATES), *PAGING),
        lambda live, query: pages.active_calls(live.view, query).json(),
        "ActiveCallPage",
    ),
    Route(
        "/v1/calls/active/{extension_key}",
        "listActiveCallsOfExtension",
        "The legs of one extension that are not over.",
        (EXTENSION,),
        _active_of,
        "ActiveCallPage",
        "Nothing is known of this extension.",
    ),
    Route(
        "/v1/calls/records",
        "listCallRecords",
        "Call records of the last 24 hours, newest first, at most 1,000 of an extension. Bill only `is_final`.",
        (
            EXTENSION,
            *WHERE,
            queries.word("direction", "Only this direction.", DIRECTIONS),
            queries.word("disposition", "Only legs that ended so.", DISPOSITIONS),
            *PAGING,
        ),
        lambda live, query: pages.call_records(live.view, query).json(),
        "CallRecordPage",
    ),
    Route(
        "/v1/presence",
        "listPresence",
        "What each person is doing, in the order of extension keys.",
        (*WHERE, queries.word("state", "Only persons with this activity.", ACTIVITIES), *PAGING),
        lambda live, query: pages.presences(live.view, query).json(),
        "PresencePage",
    ),
    Route(
        "/v1/presence/{extension_key}",
        "getPresence",
        "What one person is doing.",
        (EXTENSION,),
        lambda live, query: pages.presence_of(live.view, query.get("extension_key")),
        "Presence",
        "No presence of this extension is known.",
    ),
    Route(
        "/v1/metrics/intervals",
        "listIntervals",
        "Interval rows of the last 26 hours, in the order of scope and window.",
        (
            *WHERE,
            queries.word("scope_type", "Only rows about this.", SCOPES),
            queries.text("scope_id", "Only rows about the scope with this id."),
            queries.one_of_numbers("window_seconds", "Only windows of this length.", WINDOWS),
            queries.instant("since", "Only windows that begin at this instant or later, milliseconds since 1970."),
            *PAGING,
        ),
        lambda live, query: pages.intervals(live.view, query).json(),
        "IntervalMetricsPage",
    ),
    Route(
        "/v1/summary",
        "getSummary",
        "Today's calls of all, or of one team, site or queue: how many, how they ended, how many answered in time.",
        WHERE,
        _summary,
        "Summary",
    ),
    Route(
        "/v1/summaries",
        "listSummaries",
        "Today's calls of every team, site and queue, or of one kind of them.",
        (queries.word("scope_type", "Only these.", ("TEAM", "SITE", "QUEUE")),),
        _summaries,
        "SummaryPage",
    ),
    Route(
        "/v1/status",
        "getStatus",
        "How far the service is behind Kafka, what it holds, and which teams, sites and queues there are.",
        (),
        lambda live, _: orjson.dumps(live.status()),
        "Status",
    ),
)
STREAM_PATH: Final = "/v1/stream"
STREAM_PARAMETERS: Final = (*WHERE, queries.KINDS, queries.SINCE)
