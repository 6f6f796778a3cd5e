"""An idiomatic Faust agent: it decodes each envelope, counts in a table, encodes with fastavro and sends.

What the documentation of Faust shows, with its default guarantee (at least once): no page loads, no calls, no
transactions. The Avro record is our EnrichedEvent, of which it fills in what an envelope says by itself.
"""

import io
import sys
from typing import Any

import fastavro
import faust

from streams.contracts import schemas

BROKERS, GROUP, SOURCE, SINK, FOLDER = sys.argv[1:6]
SCHEMA: Any = fastavro.parse_schema(schemas.bare(schemas.load("EnrichedEvent")))
PARTITIONS = 12

app = faust.App(
    GROUP,
    broker=f"kafka://{BROKERS}",
    datadir=FOLDER,
    store="memory://",
    autodiscover=False,
    web_enabled=False,
    topic_partitions=PARTITIONS,
    broker_max_poll_records=2_000,
)
source = app.topic(SOURCE, value_serializer="json")
sink = app.topic(SINK, key_serializer="raw", value_serializer="raw")
counts = app.Table("counts", default=int, partitions=PARTITIONS)


@app.agent(source)  # type: ignore[untyped-decorator]  # Faust has no stubs
async def agent(envelopes: Any) -> None:
    """Count the events of each page load and pass them on as Avro."""
    async for envelope in envelopes:
        session = envelope["session_id"]
        counts[session] += 1
        await sink.send(key=session.encode(), value=_encoded(envelope, counts[session]))


def _encoded(envelope: dict[str, Any], count: int) -> bytes:
    event, out = envelope["event"], io.BytesIO()
    row: dict[str, Any] = {
        "event_id": envelope["event_id"],
        "type": event["type"].replace("-", "_").upper() if event["type"].startswith("rc-call") else "OTHER",
        "other_type": event["type"],
        "event_time": envelope["captured_at"],
        "captured_at": envelope["captured_at"],
        "received_at": envelope["received_at"],
        "extension_key": envelope["login_number"],
        "session_id": envelope["session_id"],
        "sequence": count,
        "marks": [],
        "quirks": [],
        "queues": [],
    }
    call = event.get("call")
    if call is not None:
        row["web_phone_call"] = {
            "dialog": call["id"],
            "direction": call["direction"].upper(),
            "call_status": call["callStatus"],
            "created_at": call["creationTime"],
            "started_at": call.get("startTime"),
            "ended_at": call.get("endTime"),
            "remote": {"token": call["from"], "country": "US", "kind": "EXTERNAL"},
        }
    fastavro.schemaless_writer(out, SCHEMA, row)
    return out.getvalue()


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "--without-web", "-l", "info"]
    app.main()
