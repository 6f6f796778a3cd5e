"""The description of the service (OpenAPI 3.1): built from the table of routes and from the Avro schemas."""

from importlib.metadata import version
from typing import Any, Final

from streams.contracts import schemas
from streams.serve.queries import Parameter
from streams.serve.routes import ROUTES, STREAM_PARAMETERS, STREAM_PATH, Route

Json = dict[str, Any]
RECORDS: Final = ("ActiveCall", "CallRecord", "Presence", "IntervalMetrics")
_PLAIN: Final[dict[str, Json]] = {
    "string": {"type": "string"},
    "int": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "boolean": {"type": "boolean"},
    "double": {"type": "number"},
    "null": {"type": "null"},
}
_COUNT: Final = {"type": "integer", "minimum": 0}
_NAMES: Final = {"type": "array", "items": {"type": "string"}}
_COUNTS: Final = {"type": "object", "additionalProperties": _COUNT}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


OWN: Final[dict[str, Json]] = {
    "Summary": _object(
        scope_type={"type": "string", "enum": ["ALL", "TEAM", "SITE", "QUEUE"]},
        scope_id={"type": ["string", "null"]},
        day_start={"type": "integer", "description": "Instant in milliseconds since 1970."},
        service_level_source={"type": "string", "enum": ["INTERVAL_METRICS", "CALL_RECORDS"]},
        service_level_offered=_COUNT,
        service_level_answered_within_20=_COUNT,
        calls_offered=_COUNT,
        calls_answered=_COUNT,
        answered_within_20=_COUNT,
        calls_outbound=_COUNT,
        calls_outbound_connected=_COUNT,
        dispositions=_object(INBOUND=_COUNTS, OUTBOUND=_COUNTS),
    ),
    "Status": _object(
        ready={"type": "boolean"},
        now={"type": "integer", "description": "The clock of the service."},
        as_of={"type": ["integer", "null"], "description": "Everything committed up to this instant is held."},
        stale_ms={"type": ["integer", "null"], "description": "How old the answers may be."},
        stale={"type": "boolean", "description": "Older than 5 seconds: Kafka is away, or there is too much to read."},
        notes=_NAMES,
        active_calls=_COUNT,
        presences=_COUNT,
        call_records=_COUNT,
        interval_rows=_COUNT,
        scopes=_object(team=_NAMES, site=_NAMES, queue=_NAMES),
    ),
    "Problem": _object(
        type={"type": "string"}, title={"type": "string"}, status={"type": "integer"}, detail={"type": "string"}
    ),
}
HEADERS: Final = {
    "ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."},
    "Widget-Streams-Version": {
        "schema": {"type": "string"},
        "description": "Where the stream goes on from: give it to /v1/stream as `since`.",
    },
    "Widget-Streams-As-Of": {
        "schema": {"type": "integer"},
        "description": "Everything committed up to this instant is in the answer, milliseconds since 1970.",
    },
    "Widget-Streams-Stale-Ms": {"schema": {"type": "integer"}, "description": "How old the answer may be."},
}
_STREAM_TEXT: Final = (
    "Server-sent events: `active-call`, `presence`, `call-record`, `interval`, `summary` with the row as data;"
    " `active-call-ended`, `presence-gone` with its key; `status`; `hello` at the beginning; `reset` when what was"
    " missed is not here any more: then ask for everything anew. `Last-Event-ID` or `since` goes on after a version."
)


def document() -> Json:
    """Return the description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "widget-streams: live state of calls and presence",
            "version": version("widget-streams"),
            "description": "Rows by the names of the Avro schemas. Instants are milliseconds since 1970, UTC.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": {**{route.path: {"get": _operation(route)} for route in ROUTES}, STREAM_PATH: {"get": _stream()}},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "headers": HEADERS,
            "responses": {
                name: {
                    "description": text,
                    "content": {"application/problem+json": {"schema": _ref("Problem")}},
                }
                for name, text in _RESPONSES.items()
            },
            "schemas": shapes(),
        },
    }


_RESPONSES: Final = {
    "Wrong": "A parameter is unknown or wrong.",
    "NoToken": "No token, or none that is known.",
    "Absent": "There is no such thing.",
    "TooMany": "Too many requests; Retry-After says when.",
    "NotReady": "The topics are still being read, or there are too many streams.",
}
_ALWAYS: Final = {"400": "Wrong", "401": "NoToken", "429": "TooMany", "503": "NotReady"}


def shapes() -> dict[str, Json]:
    """Return every schema by name: the records of Avro, their pages, and what is of this service alone."""
    found = {**OWN, "SummaryPage": _page("Summary")}
    for record in RECORDS:
        found[record] = of_avro(schemas.load(record))
        found[f"{record}Page"] = _page(record)
    return found


def _page(name: str) -> Json:
    return _object(
        items={"type": "array", "items": _ref(name)},
        next_cursor={"type": ["string", "null"], "description": "Null: this was the last page."},
    )


def of_avro(schema: Any, known: dict[str, Json] | None = None) -> Json:
    """Return the JSON Schema of what `Codec.to_json` gives for an Avro schema; a name used twice stands twice."""
    known = {} if known is None else known
    if isinstance(schema, str):
        return dict(_PLAIN.get(schema) or known[schema])
    if isinstance(schema, list):
        return {"anyOf": [of_avro(branch, known) for branch in schema]}
    kind = schema["type"]
    if kind == "record":
        fields = {field["name"]: {**of_avro(field["type"], known), **_doc(field)} for field in schema["fields"]}
        made = {**_object(**fields), **_doc(schema)}
    elif kind == "enum":
        made = {"type": "string", "enum": schema["symbols"], **_doc(schema)}
    elif kind == "array":
        return {"type": "array", "items": of_avro(schema["items"], known)}
    elif kind == "map":
        return {"type": "object", "additionalProperties": of_avro(schema["values"], known)}
    else:
        return of_avro(kind, known)
    known[schema["name"]] = made
    return made


def _doc(named: Json) -> Json:
    return {"description": named["doc"]} if "doc" in named else {}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(parameter: Parameter, *, in_path: bool) -> Json:
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path,
        "description": parameter.about,
        "schema": dict(parameter.schema),
    }


def _answers(absent: bool) -> Json:
    named = {**_ALWAYS, **({"404": "Absent"} if absent else {})}
    return {status: {"$ref": f"#/components/responses/{name}"} for status, name in named.items()}


def _operation(route: Route) -> Json:
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [_parameter(one, in_path=one.name in route.in_path) for one in route.parameters],
        "responses": {
            "200": {
                "description": route.summary,
                "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS},
                "content": {"application/json": {"schema": _ref(route.shape)}},
            },
            "304": {"description": "Not changed since the answer with that ETag."},
            **_answers(route.absent is not None),
        },
    }


def _stream() -> Json:
    last = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}
    return {
        "operationId": "stream",
        "summary": "Every change as it is committed.",
        "description": _STREAM_TEXT,
        "parameters": [*(_parameter(one, in_path=False) for one in STREAM_PARAMETERS), last],
        "responses": {
            "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            **_answers(absent=False),
        },
    }
