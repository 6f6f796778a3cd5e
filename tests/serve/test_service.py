"""The service over HTTP: answers, refusals, headers, streams."""

import hashlib
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from streams.serve import openapi
from streams.serve.guard import Guard
from streams.serve.routes import ROUTES
from tests.serve import crowd
from tests.serve.serving import OPEN, Serving, a_view, now_ms, put, serving, stream, until

TOKEN = "an-invented-token-of-32-letters!"
PEOPLE = 30


@pytest.fixture(scope="module")
def service() -> Iterator[Serving]:
    """Give a service that nothing changes but the test."""
    with serving(a_view()) as served:
        fill(served)
        yield served


def fill(served: Serving) -> None:
    """Give it a small company and make it ready."""
    now = now_ms()
    for number in range(PEOPLE):
        served.put("presence", crowd.key_of(number), crowd.presence(number, now))
        call, record = crowd.active_call(number, now), crowd.call_record(number, now - 1_000)
        served.put("active-calls", call["leg_id"], call)
        served.put("call-records", record["leg_id"], record)
        row = crowd.interval("EXTENSION", crowd.key_of(number), 900, now - 900_000)
        served.put("interval-metrics", crowd.key_of(number), row)
    served.within(lambda: served.live.view.begin(now))


def key(number: int) -> str:
    """Return an extension key as it stands in an address."""
    return quote(crowd.key_of(number), safe="*")


def path_of(route_path: str) -> str:
    """Return an address of a route that has an answer."""
    return route_path.replace("{extension_key}", key(3))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_answer_is_what_the_description_says(service: Serving, route: object) -> None:
    """The body fits its schema, the headers are there, and the same question again is 304."""
    assert isinstance(route, type(ROUTES[0]))
    answer = service.get(path_of(route.path))
    assert answer.status == 200
    root = {"$ref": f"#/components/schemas/{route.shape}", "components": {"schemas": openapi.shapes()}}
    Draft202012Validator(root).validate(answer.json)
    if "items" in answer.json:
        assert answer.json["items"]
    assert set(openapi.HEADERS) <= set(answer.headers)
    assert service.get(path_of(route.path), If_None_Match=f'"x", W/{answer.headers["ETag"]}').status in (200, 304)
    head = service.get(path_of(route.path), method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_the_schemas_refuse_what_does_not_fit(service: Serving) -> None:
    """The check above can fail."""
    row = service.get(f"/v1/presence/{key(3)}").json
    root = {"$ref": "#/components/schemas/Presence", "components": {"schemas": openapi.shapes()}}
    for wrong in ({**row, "activity": "DANCING"}, {**row, "updated_at": "now"}, {"activity": "BUSY"}):
        assert not Draft202012Validator(root).is_valid(wrong)


def test_what_did_not_change_is_not_sent_again(service: Serving) -> None:
    """304 with the same tag; another body has another."""
    address = f"/v1/presence/{key(3)}"
    first = service.get(address)
    again = service.get(address, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    service.put("presence", crowd.key_of(3), crowd.presence(3, now_ms(), "BUSY"))
    assert service.get(address, If_None_Match=first.headers["ETag"]).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/presence/%2B19995550199*999", 404),
        ("/v1/calls/active/%2B19995550199*999", 404),
        ("/v1/presence/5550199", 400),
        ("/v1/presence?state=%2B19995550199", 400),
        ("/v1/presence?%2B19995550199=1", 400),
        ("/v1/presence?limit=1&limit=2", 400),
        (f"/v1/presence/{crowd.key_of(3)}?extension_key={crowd.key_of(3)}", 400),
        ("/v1/summary?team=a&site=b", 400),
        ("/v1/stream?kinds=x5550199", 400),
        ("/v1/%2B19995550199", 404),
        ("/wallboard/..%2fservice.py", 404),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_why(service: Serving, path: str, status: int) -> None:
    """As RFC 9457 has it, and without what was asked."""
    answer = service.get(path)
    assert answer.status == answer.json["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    Draft202012Validator(openapi.OWN["Problem"]).validate(answer.json)
    assert b"5550199" not in answer.body


def test_only_reading_is_allowed(service: Serving) -> None:
    """Other methods are 405 and say what is allowed."""
    for method in ("POST", "PUT", "DELETE"):
        answer = service.get("/v1/presence", method=method)
        assert answer.status == 405
        assert "GET" in answer.headers["Allow"]


def test_the_page_needs_nothing_from_elsewhere(service: Serving) -> None:
    """Every file that it names is here, no address leads away, and the policy forbids it anyway."""
    page = service.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    named = re.findall(rb'(?:href|src)="([^"#]+)"', page.body)
    assert named
    for address in named:
        found = service.get(address.decode())
        assert found.status == 200
        assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)", found.body), address
    assert not re.search(rb"<script(?! type=\"module\" src=)|<style|style=|onclick", page.body)


def test_every_answer_keeps_browsers_strict(service: Serving) -> None:
    """Also refusals, files and metrics; nobody is told the versions of libraries."""
    for path in ("/", "/v1/presence", "/nothing", "/metrics", "/healthz", "/openapi.json", "/v1/presence?x=1"):
        headers = service.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Server"] == "widget-streams"
        assert "Access-Control-Allow-Origin" not in headers


def test_another_name_is_not_answered_without_a_token(service: Serving) -> None:
    """A page that points its own name at this machine reads nothing."""
    assert service.get("/v1/presence", Host="evil.example").status == 421


def test_tokens_are_asked_for_data_and_not_for_the_page() -> None:
    """The page holds nothing; with the token every host name will do."""
    guard = Guard(frozenset({hashlib.sha256(TOKEN.encode()).digest()}), frozenset(), 1_000)
    with serving(a_view(), guard) as served:
        fill(served)
        for path in ("/v1/presence", "/v1/stream", "/v1/status", "/v1/nothing"):
            refused = served.get(path)
            assert refused.status == 401
            assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert served.get("/v1/presence", Authorization=f"Bearer {TOKEN}x").status == 401
        assert served.get("/v1/presence", Authorization=f"Bearer {TOKEN}", Host="board.example").status == 200
        for path in ("/", "/healthz", "/readyz", "/openapi.json"):
            assert served.get(path).status == 200


def test_pages_of_listed_origins_may_ask() -> None:
    """And are told so; others are not."""
    guard = Guard(frozenset(), frozenset({"https://desk.example"}), 1_000)
    with serving(a_view(), guard) as served:
        fill(served)
        good = served.get("/v1/presence", Origin="https://desk.example")
        assert good.headers["Access-Control-Allow-Origin"] == "https://desk.example"
        assert "Widget-Streams-Version" in good.headers["Access-Control-Expose-Headers"]
        assert good.headers["Vary"] == "Origin"
        asked = served.get("/v1/presence", "OPTIONS", Origin="https://desk.example")
        assert (asked.status, asked.headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
        bad = served.get("/v1/presence", Origin="https://desk.example.evil.example")
        assert "Access-Control-Allow-Origin" not in bad.headers
        assert served.get("/v1/presence", "OPTIONS", Origin="https://evil.example").status == 403


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    """The page and the health are not counted."""
    with serving(a_view(), Guard(frozenset(), frozenset(), 1.0)) as served:
        fill(served)
        answers = [served.get("/v1/status") for _ in range(15)]
        assert [one.status for one in answers].count(200) in (10, 11)
        assert answers[-1].status == 429
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 2
        assert served.get("/healthz").status == 200


def test_before_the_topics_are_read_nothing_is_answered() -> None:
    """Half a table would be a wrong one."""
    with serving(a_view()) as served:
        assert served.get("/healthz").status == 200
        assert served.get("/readyz").status == 503
        waiting = served.get("/v1/presence")
        assert (waiting.status, waiting.headers["Retry-After"]) == (503, "1")
        assert "being read" in waiting.json["detail"]
        fill(served)
        assert served.get("/readyz").status == 200


def test_an_old_view_says_how_old_it_is(service: Serving) -> None:
    """In the header, in the status and in /readyz, which stays 200."""
    service.away_ms = 61_000
    try:
        with stream(service.url + "/v1/stream") as events:
            assert next(event for event in events if event.name == "status" and event.data["stale"])
        assert 61_000 <= int(service.get("/v1/presence").headers["Widget-Streams-Stale-Ms"]) < 65_000
        assert service.get("/v1/status").json["stale"] is True
        ready = service.get("/readyz")
        assert (ready.status, ready.body) == (200, b"ok, 61 s behind Kafka\n")
    finally:
        service.away_ms = 0
    with stream(service.url + "/v1/stream") as events:
        assert next(event for event in events if event.name == "status" and not event.data["stale"])


def test_a_viewer_is_told_changes_in_order(service: Serving) -> None:
    """And nobody else's."""
    with stream(service.url + "/v1/stream?team=sales&kinds=presence,active-call,active-call-ended") as events:
        assert until(events, "hello").id
        for number in (1, 2, 5):
            service.put("presence", crowd.key_of(number), crowd.presence(number, now_ms(), "RINGING"))
        call = crowd.active_call(1, now_ms())
        service.put("active-calls", call["leg_id"], None)
        told = [next(one for one in events if one.name != "status") for _ in range(3)]
        assert [(one.name, one.data["extension_key"]) for one in told] == [
            ("presence", crowd.key_of(1)),
            ("presence", crowd.key_of(5)),
            ("active-call-ended", crowd.key_of(1)),
        ]


def test_a_viewer_goes_on_where_it_was(service: Serving) -> None:
    """By `Last-Event-ID` as by `since`; what came in between is told once."""
    version = service.get("/v1/presence").headers["Widget-Streams-Version"]
    service.put("presence", crowd.key_of(7), crowd.presence(7, now_ms(), "BUSY"))
    for headers, query in (({"Last_Event_ID": version}, ""), ({}, f"?since={version}")):
        with stream(f"{service.url}/v1/stream{query}", **headers) as events:
            first = next(one for one in events if one.name != "status")
            assert (first.name, first.data["activity"]) == ("presence", "BUSY")
            assert first.id is not None
        with stream(service.url + "/v1/stream", Last_Event_ID=first.id) as events:
            service.put("presence", crowd.key_of(8), crowd.presence(8, now_ms(), "BUSY"))
            later = next(one for one in events if one.name == "presence")
            assert later.data["extension_key"] == crowd.key_of(8)


def test_a_viewer_who_was_away_too_long_is_told_to_begin_anew() -> None:
    """When the ring is over, when it is another copy's, and when the service reads everything anew meanwhile."""
    with serving(a_view(changes_kept=3)) as served:
        fill(served)
        old = served.get("/v1/presence").headers["Widget-Streams-Version"]
        for number in range(4):
            served.put("presence", crowd.key_of(number), crowd.presence(number, now_ms(), "BUSY"))
        for version in (old, "b2.1-3", "nonsense"):
            with stream(served.url + "/v1/stream", Last_Event_ID=version) as events:
                first = next(events)
                assert first.name == "reset"
                assert first.id == served.live.view.changes.version
        with stream(served.url + "/v1/stream") as events:
            assert until(events, "hello")
            served.live.view = a_view("c3.1", ready=True)
            assert until(events, "reset").id == "c3.1-0"


def test_there_are_only_so_many_streams() -> None:
    """One more is refused, until somebody leaves."""
    with serving(a_view(), most=2) as served:
        fill(served)
        with stream(served.url + "/v1/stream") as one, stream(served.url + "/v1/stream") as two:
            assert until(one, "hello")
            assert until(two, "hello")
            refused = served.get("/v1/stream")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "10")


def test_a_viewer_who_does_not_read_is_cut() -> None:
    """It holds up nobody, and is counted."""
    with serving(a_view(), stall_seconds=0.3) as served:
        fill(served)
        with socket.socket() as lazy, stream(served.url + "/v1/stream") as events:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.connect(("127.0.0.1", served.port))
            lazy.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert until(events, "hello")
            end = time.monotonic() + 30
            while served.metrics.registry.get_sample_value("widgetstreams_serve_streams_cut_total") != 1:
                assert time.monotonic() < end, "it was not cut"
                served.within(lambda: everybody_moves(served))
                # Who reads is told everything; each change of a gathering once.
                assert next(one for one in events if one.data.get("extension_key") == crowd.key_of(1_999))
            assert served.streams.open == 1


def everybody_moves(served: Serving) -> None:
    """Give the view 2,000 changes at once."""
    for number in range(2_000):
        put(served.live.view, "presence", crowd.key_of(number), crowd.presence(number, now_ms()), now_ms())


def test_metrics_name_nobody(service: Serving) -> None:
    """Labels are routes and topics."""
    service.get(f"/v1/presence/{key(3)}")
    text = service.get("/metrics").body.decode()
    assert 'widgetstreams_serve_requests_total{route="/v1/presence/{extension_key}",status="200"}' in text
    assert crowd.MAIN not in text


def test_the_guard_of_these_tests_is_open() -> None:
    """So that a refusal above is the service's and not the rate's."""
    assert OPEN.tokens == frozenset()
