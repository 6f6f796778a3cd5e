"""Dead letters: which record was refused, why, and what of it may be kept (CONTRACT 1, 8, DECISIONS 21, 22, 50)."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.avro import codec
from streams.contracts.letters import MAX_KEPT_BYTES, letter_row, refused, safe_key
from streams.contracts.values import hashed
from streams.domain.postings import Rejection
from streams.domain.words import RejectReason
from tests.builders import LOGIN, a_uuid

PLACE: dict[str, object] = {"topic": "widget.events.v1", "partition": 3, "offset": 70}
REJECTION = Rejection(RejectReason.SCHEMA_VIOLATION, "call.id: missing")


def a_letter(value: bytes | None = b"{}", scrubbed: object = None, **changes: Any) -> dict[str, object]:
    """Return a whole row."""
    told = {"stage": "sessions", "key": None, "received_at": 0, **changes}
    return refused(letter_row(PLACE, value=value, **told), REJECTION, scrubbed, None)


def test_a_letter_names_place_reason_and_evidence() -> None:
    """Enough to find the record again and to know it when found."""
    value = b'{"event":1}'
    row = a_letter(value, {"event": None}, key=LOGIN.encode(), received_at=5)
    assert {name: row[name] for name in PLACE} == PLACE
    assert (row["reason"], row["detail"]) == ("SCHEMA_VIOLATION", "call.id: missing")
    assert (row["value_bytes"], row["value_sha256"]) == (len(value), hashlib.sha256(value).hexdigest())
    assert (row["key"], row["received_at"], row["stage"]) == (LOGIN, 5, "sessions")
    assert json.loads(bytes(row["value"])) == {"event": None}  # type: ignore[call-overload]  # it is bytes here


def test_what_cannot_be_parsed_keeps_length_and_digest_only() -> None:
    """Unreadable bytes cannot be scrubbed, so none are kept."""
    row = a_letter(b"call +14155550142 now", None)
    assert row["value"] is None
    assert row["value_bytes"] == 21
    assert "4155550142" not in str(row)


@pytest.mark.parametrize("value", [None, b""])
def test_an_empty_record_is_a_letter_too(value: bytes | None) -> None:
    """A tombstone on the topic of events is refused like anything else."""
    row = a_letter(value)
    assert (row["value_bytes"], row["value"]) == (0, None)


def test_an_unknown_arrival_is_left_open() -> None:
    """Not 1970."""
    assert a_letter(received_at=0)["received_at"] is None


def test_what_is_too_large_to_keep_is_not_kept() -> None:
    """The letter itself must fit into its topic."""
    assert a_letter(scrubbed={"a": "x" * (MAX_KEPT_BYTES - 8)})["value"] is not None
    assert a_letter(scrubbed={"a": "x" * (MAX_KEPT_BYTES - 7)})["value"] is None


def test_the_id_is_the_records_own_and_the_reasons() -> None:
    """The same refusal has the same id whenever it is worked out; another place or reason has another."""
    first = a_letter()
    assert a_letter(b"other bytes")["dead_letter_id"] == first["dead_letter_id"]
    elsewhere = refused(
        letter_row({**PLACE, "offset": 71}, stage="s", key=None, value=b"", received_at=0), REJECTION, 1, None
    )
    assert elsewhere["dead_letter_id"] != first["dead_letter_id"]
    late = refused(
        letter_row(PLACE, stage="s", key=None, value=b"", received_at=0), Rejection(RejectReason.TOO_LATE, ""), 1, None
    )
    assert late["dead_letter_id"] != first["dead_letter_id"]


@pytest.mark.parametrize("reason", list(RejectReason))
def test_every_reason_can_be_written(reason: RejectReason) -> None:
    """The closed list of DECISIONS 21 is the enum of the schema."""
    row = refused(
        letter_row(PLACE, stage="sessions", key=b"k", value=b"v", received_at=1), Rejection(reason, "d"), 1, "s"
    )
    avro = codec("DeadLetter")
    assert avro.decode(avro.encode(row))["reason"] == reason


@pytest.mark.parametrize("key", [a_uuid(1), LOGIN, "16505550100*101"])
def test_a_key_that_may_be_shown_is(key: str) -> None:
    """Session ids and extension keys are declared."""
    assert safe_key(key.encode()) == key


@pytest.mark.parametrize("key", [b"+14155550142", b"jo@example.com", b"\xff\xfe", b"", b"*101", LOGIN.encode() + b"\n"])
def test_any_other_key_is_hashed(key: bytes) -> None:
    """Whoever keys records by a person's number must not find it in the dead letters (DECISIONS 50)."""
    assert safe_key(key) == hashed(key.decode("utf-8", "backslashreplace"))


@given(st.none() | st.binary(max_size=40))
def test_every_key_gives_text_or_none(key: bytes | None) -> None:
    """Any bytes can be a key."""
    told = safe_key(key)
    assert (told is None) == (key is None)
