"""The codec: framing, identity, strictness, errors that quote nothing, and bytes of other versions."""

import contextlib
import io
import traceback
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts import avro, schemas
from streams.contracts.avro import AvroError, Codec, codec
from streams.contracts.avro_reader import compile_reader
from tests.schemas.values import fitting

RECORDS = schemas.records()
SECRET = "+14155550142 Jane Doe"


def a_row(**changes: Any) -> dict[str, Any]:
    """Return a SessionAudit."""
    return {"session_id": "-", "received": 3, "updated_at": 1_772_442_000_000, **changes}


def a_call_event(**changes: Any) -> dict[str, Any]:
    """Return a CallEvent with nested records."""
    required = {"event_id": "e", "event_time": 1, "extension_key": "+1*101", "leg_id": "l"}
    return {**required, "remote": {"kind": "EXTERNAL", "token": "k1.x"}, "queues": ["q"], **changes}


def a_schema(*fields: Any, name: str = "Row") -> schemas.Schema:
    """Return a small schema."""
    return {"type": "record", "name": name, "namespace": schemas.NAMESPACE, "fields": list(fields)}


def an_enum(*symbols: str) -> Any:
    """Return an enum with the default UNKNOWN."""
    return {"type": "enum", "name": "Kind", "symbols": ["UNKNOWN", *symbols], "default": "UNKNOWN"}


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_decode_gives_back_what_was_encoded(record: str, data: st.DataObject) -> None:
    """Encode then decode is identity for every record type."""
    value = data.draw(fitting(schemas.bare(schemas.load(record))))
    assert codec(record).decode(codec(record).encode(value)) == value


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_bytes_are_those_of_the_library_with_the_full_schema(record: str, data: st.DataObject) -> None:
    """Our writer and fastavro, given docs and logical types, write the same bytes."""
    value = data.draw(fitting(schemas.bare(schemas.load(record))))
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, fastavro.parse_schema(schemas.load(record)), value)
    assert codec(record).encode(value)[5:] == expected.getvalue()


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_values_are_those_of_the_library(record: str, data: st.DataObject) -> None:
    """Our reader gives what fastavro's gives, and says where the value ends."""
    schema = schemas.bare(schemas.load(record))
    payload = codec(record).encode(data.draw(fitting(schema)))
    expected = fastavro.schemaless_reader(io.BytesIO(payload[5:]), fastavro.parse_schema(schema), None)
    assert compile_reader(schema)(payload, 5) == (expected, len(payload))


@pytest.mark.parametrize("body", ["04 02 06 00", "03 04 02 06 00", "02 02 02 06 00", "00"])
def test_arrays_in_any_blocks_are_read(body: str) -> None:
    """A writer may cut an array into blocks, with or without their sizes in bytes."""
    schema = a_schema({"name": "n", "type": {"type": "array", "items": "long"}})
    payload = bytes.fromhex(body)
    expected = fastavro.schemaless_reader(io.BytesIO(payload), fastavro.parse_schema(schema), None)
    assert compile_reader(schema)(payload, 0) == (expected, len(payload))


@pytest.mark.parametrize("body", ["ff" * 9 + "03", "ff" * 10 + "01", "80" * 40])
def test_longer_than_a_long_is_refused(body: str) -> None:
    """More than 64 bits are no long."""
    with pytest.raises(avro.MalformedError):
        Codec(a_schema({"name": "n", "type": "long"}), 1).decode(bytes.fromhex("00 00000001" + body))


def test_framing_and_body_byte_by_byte() -> None:
    """Byte 0, four bytes of id, then Avro binary: small enough to be written by hand."""
    row = Codec(
        a_schema({"name": "n", "type": "long"}, {"name": "t", "type": ["null", "string"], "default": None}), 258
    )
    assert row.encode({"n": -65, "t": "hé"}) == bytes.fromhex("00 00000102 8101 02 06 68c3a9")
    assert row.encode({"n": 0}) == bytes.fromhex("00 00000102 00 00")


def test_ids_are_those_of_the_checked_in_list() -> None:
    """The id in the bytes is the one of the record's subject."""
    assert codec("Presence").schema_id == schemas.ids()["widget.presence.v1-value"]


def test_left_out_fields_take_their_defaults() -> None:
    """A row may leave out whatever has a default, and gets it back."""
    row = codec("CallEvent").decode(codec("CallEvent").encode(a_call_event()))
    assert (row["call_id"], row["type"], row["tabs"], row["witnesses"]) == (None, "UNKNOWN", 0, [])
    assert row["remote"] == {"kind": "EXTERNAL", "token": "k1.x", "country": None}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"receivd": SECRET}, "receivd (no such field)"),
        ({"received": SECRET}, "received"),
        ({"received": 1.5}, "received"),
        ({"received": True}, "received"),
        ({"received": 2**63}, "received"),
        ({"session_id": None}, "session_id"),
        ({"session_id": SECRET.encode()}, "session_id"),
        ({"session_id": SECRET + "\ud800"}, "session_id"),
    ],
)
def test_misfit_is_named_by_its_field_and_not_quoted(changes: dict[str, Any], place: str) -> None:
    """What does not fit is refused; neither the text nor the traceback has the value."""
    with pytest.raises(avro.EncodeError) as refused:
        codec("SessionAudit").encode(a_row(**changes))
    assert f"SessionAudit: {place} does not fit" in str(refused.value)
    assert SECRET not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"remote": {"kind": SECRET}}, "remote.kind"),
        ({"remote": SECRET}, "remote"),
        ({"queues": ["q", 7]}, "queues[1]"),
        ({"queues": "q"}, "queues"),
        ({"input": {"topic": "t", "partition": 0}}, "input.offset"),
        ({"tabs": 2**31}, "tabs"),
    ],
)
def test_misfit_is_found_in_nested_values(changes: dict[str, Any], place: str) -> None:
    """The path leads to the nested field."""
    with pytest.raises(avro.EncodeError, match="CallEvent") as refused:
        codec("CallEvent").encode(a_call_event(**changes))
    assert f"CallEvent: {place} does not fit" in str(refused.value)


def test_required_field_that_is_missing_is_named() -> None:
    """A field without default must be given."""
    with pytest.raises(avro.EncodeError, match="SessionAudit: updated_at does not fit"):
        codec("SessionAudit").encode({"session_id": "-"})


def test_other_framing_is_refused() -> None:
    """JSON, or nothing, is not our framing."""
    for payload in (b"", b"\0\0\0", b'{"a": 1}'):
        with pytest.raises(avro.NotFramedError, match="byte 0"):
            codec("Presence").decode(payload)


def test_foreign_schema_id_is_refused() -> None:
    """The id of another record is said, and which ones would do."""
    with pytest.raises(avro.UnknownSchemaError, match="schema id 10 is none of its versions \\(6\\)"):
        codec("Presence").decode(codec("SessionAudit").encode(a_row()))


def test_every_truncation_is_refused() -> None:
    """However short, cut bytes are never taken for a record."""
    payload = codec("CallEvent").encode(a_call_event())
    for length in range(5, len(payload)):
        with pytest.raises(avro.MalformedError, match="cut short"):
            codec("CallEvent").decode(payload[:length])


def test_bytes_after_the_record_are_refused() -> None:
    """A record is the whole value."""
    with pytest.raises(avro.MalformedError, match="2 bytes are left over"):
        codec("SessionAudit").decode(codec("SessionAudit").encode(a_row()) + b"ab")


@given(st.sampled_from(RECORDS), st.binary(max_size=60), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_record_or_an_avro_error(record: str, tail: bytes, is_framed: bool) -> None:
    """No bytes make another exception than ours."""
    prefix = codec(record).schema_id.to_bytes(5, "big") if is_framed else b""
    with contextlib.suppress(AvroError):
        assert isinstance(codec(record).decode(prefix + tail), dict)


def test_released_version_is_read_in_the_current_shape() -> None:
    """Bytes of an older schema get the new field's default and lose the removed field."""
    old = a_schema({"name": "n", "type": "long"}, {"name": "gone", "type": "string", "default": ""})
    new = a_schema({"name": "n", "type": "long"}, {"name": "added", "type": "int", "default": 7})
    written = Codec(old, 1).encode({"n": 5, "gone": "x"})
    now = Codec(new, 2, {1: old})
    assert now.decode(written) == {"n": 5, "added": 7}
    assert now.shaped({})(written) == {"n": 5, "added": 7}
    assert now.head(1, {})(written) == {"n": 5}


def test_symbol_of_a_newer_version_is_read_as_unknown() -> None:
    """A reader that does not know an enum symbol gets UNKNOWN."""
    old, new = (a_schema({"name": "kind", "type": an_enum(*words)}) for words in (["A"], ["A", "B"]))
    written = Codec(new, 2).encode({"kind": "B"})
    assert Codec(old, 1, {2: new}).decode(written) == {"kind": "UNKNOWN"}


def test_json_has_bytes_as_base64_and_instants_as_integers() -> None:
    """What `to_json` gives is plain JSON, and `from_json` is its inverse."""
    letter = {"dead_letter_id": "d", "stage": "sessions", "topic": "t", "partition": 0, "offset": 1}
    payload = codec("DeadLetter").encode({**letter, "value": b"\xff\0", "received_at": 1_772_442_000_000})
    document = codec("DeadLetter").to_json(payload)
    assert (document["value"], document["received_at"]) == ("/wA=", 1_772_442_000_000)
    assert codec("DeadLetter").from_json(document) == payload


def test_text_that_is_not_base64_is_refused() -> None:
    """A field of bytes must be base64 in JSON."""
    with pytest.raises(avro.EncodeError, match="base64"):
        codec("DeadLetter").from_json({"value": "§§"})


def test_record_without_a_topic_has_no_codec() -> None:
    """Only what topics.toml names can be written."""
    with pytest.raises(KeyError):
        codec("Remote")


def test_a_record_may_be_written_from_its_bytes() -> None:
    """What `body` gave stands for the row, in another record and as the whole."""
    presence = {"extension_key": "+1*101", "activity": "BUSY", "activity_since": 1, "updated_at": 2}
    change = {"event_id": "e", "event_time": 1, "extension_key": "+1*101", "previous": None, "current": presence}
    body = codec("Presence").body(presence)
    assert codec("Presence").encode(body) == codec("Presence").encode(presence)
    assert codec("PresenceEvent").encode({**change, "current": body}) == codec("PresenceEvent").encode(change)
    with pytest.raises(AvroError, match="event_time"):
        codec("PresenceEvent").encode({**change, "current": body, "event_time": "soon"})
