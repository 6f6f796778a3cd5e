"""A bad record costs one dead letter and nothing else, whatever it does to the fold (CONTRACT 11)."""

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.avro import codec
from streams.contracts.letters import MAX_KEPT_BYTES
from streams.contracts.snapshots import CLOCK, NAME, SavedStateError
from streams.domain.postings import Rejection
from streams.domain.words import Outcome, RejectReason
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.guard import fold_guarded, why
from streams.pipeline.partitioner import partition_of
from streams.pipeline.records import Folded, InputRecord, Read, Written
from streams.pipeline.store import Kinds, Store
from streams.pipeline.writer import OutputTooLargeError
from tests.builders import LOGIN, a_plan, rows_of

KINDS: Kinds = {b"N": (NAME, None), b"C": (CLOCK, None)}
Refused = list[tuple[int, Rejection]]


def records(values: list[bytes]) -> list[Read]:
    """Return records with these values."""
    return [Read(0, offset, -1, None, value) for offset, value in enumerate(values)]


def appending(store: Store, fails: Callable[[bytes], Exception | None]) -> Callable[[InputRecord, Folded], None]:
    """Return a step that appends each record to one text and writes it, and fails half way where told."""

    def step(record: InputRecord, folded: Folded) -> None:
        value = record.value or b""
        store.put(b"Nall", (store.get(b"Nall") or "") + value.decode())
        folded.outputs.append(Written("t", 0, None, value))
        error = fails(value)
        if error is not None:
            raise error
        folded.tally.outcomes["OTHER", Outcome.ACCEPTED] += 1
        folded.urgent = True

    return step


def run(values: list[bytes], fails: Callable[[bytes], Exception | None]) -> tuple[Folded, Store, Refused]:
    """Fold with a ledger of refusals."""
    store, refused = Store(KINDS, {}), []

    def refuse(record: InputRecord, rejection: Rejection, folded: Folded) -> None:
        refused.append((record.offset, rejection))
        folded.outputs.append(Written("letters", 0, None, record.value))
        folded.tally.outcomes["OTHER", Outcome.DEAD_LETTER] += 1

    return fold_guarded(records(values), store, appending(store, fails), refuse), store, refused


def bad(value: bytes) -> Exception | None:
    """Fail on `x`."""
    return ValueError("call +14155550142") if value == b"x" else None


@given(st.lists(st.sampled_from([b"a", b"b", b"x"]), max_size=12))
def test_nothing_of_a_bad_record_remains_but_its_refusal(values: list[bytes]) -> None:
    """Good ones are folded as if it had not been there; each record has one outcome, in its place."""
    folded, store, refused = run(values, bad)
    good = [value for value in values if value != b"x"]
    assert store.peek(b"Nall") == (b"".join(good).decode() or None)
    assert [offset for offset, _ in refused] == [index for index, value in enumerate(values) if value == b"x"]
    assert [written.value for written in folded.outputs] == values
    assert [written.topic for written in folded.outputs] == ["letters" if value == b"x" else "t" for value in values]
    assert folded.tally.outcomes.total() == len(values)
    assert folded.urgent == bool(good)


@given(st.lists(st.sampled_from([b"a", b"b", b"x"]), min_size=1, max_size=12))
def test_the_changes_of_a_batch_are_its_state(values: list[bytes]) -> None:
    """What goes to the changelog is what the store holds, also after the way record by record."""
    folded, store, _ = run(values, bad)
    held = store.peek(b"Nall")
    assert (b"Nall" in folded.changes) == (held is not None)
    if held is not None:
        saved = folded.changes[b"Nall"]
        assert saved is not None
        assert NAME.read(saved) == held


def test_the_reason_names_the_place_and_no_value() -> None:
    """The message of an exception may quote the record."""
    _, _, refused = run([b"x"], bad)
    ((_, rejection),) = refused
    assert rejection.reason is RejectReason.INTERNAL_ERROR
    assert re.fullmatch(r"ValueError at pipeline\.guard:\d+ _one", rejection.detail)


def test_the_place_is_told_by_the_last_calls_of_ours() -> None:
    """The innermost first, three at most, whatever library failed in them."""

    def fails(_: bytes) -> Exception | None:
        partition_of(7, 4)
        return None

    _, _, ((_, rejection),) = run([b"x"], fails)
    place = r"pipeline\.partitioner:\d+ partition_of < pipeline\.guard:\d+ _one"
    # Plain Python misses a method, compiled code the type.
    assert re.fullmatch(f"(Attribute|Type)Error at {place}", rejection.detail)


def test_our_own_codec_says_which_field_it_was() -> None:
    """Its texts name fields and quote nothing, so they may be told."""

    def fails(_: bytes) -> Exception | None:
        codec("CallRecord").encode({"leg_id": 4_155_550_142})
        return None

    _, _, ((_, rejection),) = run([b"x"], fails)
    assert rejection.detail.startswith("EncodeError at contracts.avro:")
    assert ": CallRecord: leg_id does not fit the schema" in rejection.detail
    assert "4155550142" not in rejection.detail


def test_an_output_over_the_limit_is_its_own_reason() -> None:
    """The record's kind is told."""
    rejection = why(OutputTooLargeError("CallRecord"))
    assert rejection == Rejection(RejectReason.OUTPUT_TOO_LARGE, "CallRecord would be larger than its topic takes")


@pytest.mark.parametrize(
    "error", [RecursionError(), MemoryError(), AssertionError(), KeyError("k"), json.JSONDecodeError("m", "d", 0)]
)
def test_whatever_fails_is_refused(error: Exception) -> None:
    """Nobody knows beforehand what a bug raises."""
    _, _, refused = run([b"a", b"x"], lambda value: error if value == b"x" else None)
    assert [rejection.reason for _, rejection in refused] == [RejectReason.INTERNAL_ERROR]


@pytest.mark.parametrize("place", [0, 1])
def test_state_that_cannot_be_read_is_no_records_fault(place: int) -> None:
    """The worker stops; refusing good records one after the other would lose them all."""
    values = [b"a", b"a"]
    values[place] = b"x"
    with pytest.raises(SavedStateError):
        run(values, lambda value: SavedStateError("newer") if value == b"x" else None)


def test_state_is_not_blamed_on_a_record_of_the_second_way_either() -> None:
    """A failing record before it sends the batch the way record by record."""
    errors: dict[bytes, Exception] = {b"x": ValueError(), b"y": SavedStateError("newer")}
    with pytest.raises(SavedStateError):
        run([b"x", b"y"], errors.get)


def test_an_interruption_is_not_swallowed() -> None:
    """Ctrl-C is no bad record."""

    def step(_record: InputRecord, _folded: Folded) -> None:
        raise KeyboardInterrupt

    def refuse(_record: InputRecord, _rejection: Rejection, _folded: Folded) -> None:
        raise AssertionError("nothing is to be refused")

    with pytest.raises(KeyboardInterrupt):
        fold_guarded(records([b"a"]), Store(KINDS, {}), step, refuse)


@pytest.mark.parametrize(("size", "kept"), [(MAX_KEPT_BYTES, True), (MAX_KEPT_BYTES + 1, False), (950_000, False)])
def test_a_dead_letter_of_the_second_stage_always_fits_into_its_topic(size: int, kept: bool) -> None:
    """Otherwise the refusal itself would fail, again and again."""
    stage = ExtensionsPartition(a_plan(), 0, {})
    folded = stage.fold([Read(0, 7, -1, LOGIN.encode(), b"\x00" * size)])
    ((_, _, row),) = rows_of(folded.outputs)
    assert row is not None
    assert (row["reason"], row["stage"], row["value_bytes"]) == ("INTERNAL_ERROR", "extensions", size)
    assert (row["value"] is not None) is kept
