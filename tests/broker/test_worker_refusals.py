"""Every reason for which a record is refused, as a consumer of the dead letters sees it, and nothing personal in it."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.broker.conftest import Namespace, Record, read_topic
from tests.broker.installation import OUTPUTS, Envelope, Installation, page, port_of, total
from tests.builders import LOGIN, T0, Json, Tab

pytestmark = pytest.mark.broker

HOUR = 3_600_000
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
PERSONAL = ("4155550199", "Mallory Quimby", "call me maybe", "sip-secret", "mobile-pickup")
"""A number, a name, a text and technical secrets, which are planted into every refused record."""


class Refused(NamedTuple):
    """A record and the reason for which it is refused."""

    reason: str
    value: bytes
    key: bytes


def personal(**more: Any) -> Json:
    """Return fields with everything in them that must not be passed on."""
    return {
        "from": f"+1{PERSONAL[0]}",
        "fromName": PERSONAL[1],
        "subject": PERSONAL[2],
        "sipData": {"toTag": PERSONAL[3]},
        "mobilePickupData": PERSONAL[4],
        **more,
    }


def refusals(now: int) -> list[Refused]:
    """Return a record for each reason that a client can bring about."""
    tab, unknown = Tab("A"), Tab("B", login=None)
    shift = now - T0
    call = {"type": "rc-call-ring-notify", "call": {"id": 7, "direction": "Sideways", **personal()}}
    known = tab.presence(shift)
    status = {"type": "rc-adapter-syncPresence", "telephonyStatus": "NoCall", "userStatus": "Available"}
    status = {**status, "dndStatus": "TakeAllCalls", **personal()}
    late = tab.post(status, shift)
    late["captured_at"] -= 25 * HOUR
    large = {**status, "more": "x" * 300_000}
    nobody = unknown.post(status, shift)
    session = tab.session_id.encode()
    return [
        Refused("", json.dumps(known).encode(), session),
        Refused("BAD_JSON", f'{{"from": "+1{PERSONAL[0]}", {PERSONAL[1]}'.encode(), f"+1{PERSONAL[0]}".encode()),
        Refused("BAD_ENVELOPE", json.dumps({"event": [personal()], **personal()}).encode(), PERSONAL[1].encode()),
        Refused("SCHEMA_VIOLATION", json.dumps(tab.post(call, shift)).encode(), session),
        Refused("TOO_LARGE", json.dumps(tab.post(large, shift)).encode(), session),
        Refused("TOO_LATE", json.dumps(late).encode(), session),
        Refused("MISSING_EXTENSION", json.dumps(nobody).encode(), unknown.session_id.encode()),
    ]


def letters(installation: Installation) -> dict[str, tuple[Record, dict[str, Any]]]:
    """Return the dead letters by reason."""
    found = [(record, record.avro()) for record in installation.read("DeadLetter")]
    assert len({row["reason"] for _, row in found}) == len(found)
    return {row["reason"]: (record, row) for record, row in found}


def everything(installation: Installation) -> bytes:
    """Return all bytes that the worker wrote, changelogs and headers included."""
    topics = [installation.topic(record) for record in (*OUTPUTS, "EnrichedEvent", "DeadLetter")]
    topics += [f"{installation.naming.group}-{stage}-changelog" for stage in ("sessions", "extensions")]
    records = [record for topic in topics for record in read_topic(installation.kafka, topic)]
    assert records
    return b"\n".join(
        part
        for record in records
        for part in (record.key or b"", record.value or b"", *(value for _, value in record.headers))
    )


def test_every_reason_has_its_dead_letter_and_nothing_personal_is_written(
    kafka: str, namespace: Namespace, tmp_path: Path
) -> None:
    """Coordinates, headers, digest and counters of each; the good record beside them goes through."""
    installation = Installation(kafka, namespace, tmp_path)
    sent = refusals(round(time.time() * 1000))
    installation.send(Envelope(item.value, item.key, headers=[TRACE]) for item in sent)
    reasons = [item.reason for item in sent if item.reason]
    with installation.worker(WIDGET_STREAMS_IDENTITY_WAIT_SECONDS="1") as worker:
        port = port_of(worker)
        worker.until(lambda: len(installation.read("DeadLetter")) == len(reasons))
        worker.until(lambda: total(page(port, "/metrics").text, "widgetstreams_events_processed_total") == len(sent))
        metrics = page(port, "/metrics").text
        assert worker.end() == 0
        said = worker.text
    found = letters(installation)
    assert set(found) == set(reasons)
    for offset, item in enumerate(sent):
        if item.reason:
            is_the_letter_of(item, offset, *found[item.reason], installation.events)
            assert total(metrics, "widgetstreams_dead_letters_total", reason=item.reason) == 1
    assert [row["extension_key"] for row in installation.rows("EnrichedEvent")] == [LOGIN]
    assert total(metrics, "widgetstreams_events_processed_total", outcome="dead_letter") == len(reasons)
    assert total(metrics, "widgetstreams_events_received_total") == len(sent)
    written = everything(installation)
    for text in PERSONAL:
        assert text.encode() not in written, text
        assert text not in said
        assert text not in metrics
    assert LOGIN not in said
    assert LOGIN.encode() in written, "the search has eyes"


def is_the_letter_of(item: Refused, offset: int, record: Record, row: dict[str, Any], topic: str) -> None:
    """Check what a dead letter says of a record and where it stood."""
    assert (row["topic"], row["partition"], row["offset"]) == (topic, 0, offset)
    assert row["stage"] == "sessions"
    assert row["value_bytes"] == len(item.value)
    assert row["value_sha256"] == hashlib.sha256(item.value).hexdigest()
    assert (row["value"] is None) == (item.reason == "BAD_JSON")
    assert row["detail"]
    headers = dict(record.headers)
    assert headers["ce_id"].decode() == row["dead_letter_id"]
    assert headers["ce_type"] == b"io.widgetstreams.v1.DeadLetter"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_source"]
    assert headers["ce_time"].endswith(b"Z")
    assert headers["ce_subject"].decode() == item.reason
    assert headers["__streams.errors.exception"].decode() == item.reason
    assert headers["__streams.errors.message"].decode() == row["detail"]
    assert headers["__streams.errors.topic"].decode() == topic
    assert headers["__streams.errors.partition"] == b"0"
    assert headers["__streams.errors.offset"].decode() == str(offset)
    assert "__streams.errors.stacktrace" in headers
    # One that waited is written in time of its own: the trace of its record is over by then.
    assert headers.get("traceparent") == (None if item.reason == "MISSING_EXTENSION" else TRACE[1])


def test_a_record_with_neither_key_nor_value_is_a_dead_letter_too(
    kafka: str, namespace: Namespace, tmp_path: Path
) -> None:
    """A tombstone on the topic of widget events, an empty value, and what only looks like JSON."""
    installation = Installation(kafka, namespace, tmp_path)
    values = (None, b"", b"null", b"[]", b"0", b'"text"', b"\xff\xfe", b"\xef\xbb\xbf{}")
    installation.send(Envelope(value) for value in values)
    with installation.worker() as worker:
        worker.until(lambda: len(installation.read("DeadLetter")) == len(values))
        assert worker.end() == 0
    rows = sorted(installation.rows("DeadLetter"), key=lambda row: int(row["offset"]))
    assert [row["reason"] for row in rows] == ["BAD_JSON"] * 2 + ["BAD_ENVELOPE"] * 4 + ["BAD_JSON"] * 2
    assert [row["key"] for row in rows] == [None] * len(values)
