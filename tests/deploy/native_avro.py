"""`python -m tests.deploy.native_avro`: what every codec makes of examples, misfits and damaged bytes, as JSON.

A process of its own for each build, as for `native_outputs`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from streams.contracts import avro_native, enriched, schemas
from streams.contracts.avro import AvroError, codec
from streams.contracts.avro_reader import compile_reader
from streams.contracts.avro_writer import compile_writer
from streams.contracts.event_shapes import EVENT, HEAD, HEAD_FIELDS, RECORD

MISFITS: tuple[Any, ...] = (None, True, 1.5, 2**31, 2**63, "\ud800", b"x", [7], {"x": 7})
BYTES = (0, 3, 255)
"""What is put in the place of each byte."""


def compiled() -> dict[str, bool]:
    """Tell by record whether the build has functions for all that is written and read of it."""
    found = {}
    for record in schemas.records():
        schema = schemas.bare(schemas.load(record))
        found[record] = _is_listed(compile_writer(schema)) and _is_listed(compile_reader(schema))
    event = schemas.bare(schemas.load(RECORD))
    head = {**event, "fields": event["fields"][:HEAD_FIELDS]}
    found["event"] = _is_listed(compile_reader(event, EVENT)) and _is_listed(compile_reader(head, HEAD))
    other = {**event, "fields": event["fields"][1:]}
    found["another schema"] = _is_listed(compile_writer(other)) or _is_listed(compile_reader(other, EVENT))
    return found


def _is_listed(function: Any) -> bool:
    return any(function is one for one in (*avro_native.WRITERS.values(), *avro_native.READERS.values()))


def told(call: Callable[[Any], Any], value: Any) -> str:
    """Return what a call gives, or the error it raises."""
    try:
        return repr(call(value))
    except AvroError as error:
        return f"{type(error).__name__}: {error}"


def changed(value: Any) -> Iterator[Any]:
    """Give a value with something left out, put in, or of another type, at any depth."""
    if isinstance(value, dict):
        yield {**value, "other": 1}
        for name, inner in value.items():
            rest = {key: kept for key, kept in value.items() if key != name}
            yield rest
            yield {**rest, "other": inner}
            yield from ({**value, name: one} for one in (*MISFITS, *changed(inner)))
    elif isinstance(value, list) and value:
        yield from ([one, *value[1:]] for one in (*MISFITS, *changed(value[0])))


def damaged(payload: bytes) -> Iterator[bytes]:
    """Give bytes, cut short, longer, and with each byte another one."""
    yield payload + b"\0"
    for at in range(len(payload)):
        yield payload[:at]
        yield from (payload[:at] + bytes([byte]) + payload[at + 1 :] for byte in BYTES)


def said_of(record: str) -> Iterator[str]:
    """Give what is said of an example, of what it is with changes, and of its bytes with damages."""
    one = codec(record)
    calls = [one.decode, *([enriched.is_watermark, enriched.read_event] if record == RECORD else [])]
    example = min((schemas.SCHEMAS / "examples" / schemas.file_name(record)[: -len(".avsc")]).glob("*.json"))
    row = one.decode(one.from_json(json.loads(example.read_text(encoding="utf-8"))))
    yield from (told(one.encode, other) for other in (row, *changed(row)))
    payload = one.encode(row)
    yield from (told(call, other) for other in (payload, *damaged(payload)) for call in calls)


def main() -> None:
    """Print all of it."""
    said = {record: list(said_of(record)) for record in schemas.records()}
    print(json.dumps({"compiled": compiled(), "said": said}))  # noqa: T201


if __name__ == "__main__":
    main()
