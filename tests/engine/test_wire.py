"""The two requests byte by byte, as Kafka's protocol describes them for the flexible versions of KIP-482."""

from io import BytesIO

import pytest
from aiokafka.errors import IncompatibleBrokerVersion

from streams.engine import wire
from streams.engine.wire import NO_TAGS

ANY = {28: (0, 5), 9: (0, 10)}


def text(value: str) -> bytes:
    """Return a compact string: its length plus one, then its bytes (all of ours are short)."""
    return bytes([len(value) + 1]) + value.encode()


def number(value: int, size: int) -> bytes:
    """Return an integer in network order."""
    return value.to_bytes(size, "big", signed=True)


TAGS = b"\0"
NULL = b"\0"


def commit(instance_id: str | None) -> wire.TxnOffsetCommitRequest:
    """Return the commit of one offset."""
    rows = [(3, 77, -1, "owner;1", NO_TAGS)]
    return wire.TxnOffsetCommitRequest("txn", "group", 9, 2, 5, "member", instance_id, [("events", rows, NO_TAGS)])


@pytest.mark.parametrize(("instance_id", "encoded"), [("worker-0", text("worker-0")), (None, NULL)])
def test_txn_offset_commit_says_who_commits(instance_id: str | None, encoded: bytes) -> None:
    """Version 3: ids, then generation, member and instance, then the offsets; a dynamic member has no instance id."""
    row = number(3, 4) + number(77, 8) + number(-1, 4) + text("owner;1") + TAGS
    topics = b"\x02" + text("events") + b"\x02" + row + TAGS
    ids = text("txn") + text("group") + number(9, 8) + number(2, 2)
    member = number(5, 4) + text("member") + encoded
    assert commit(instance_id).prepare(ANY).encode() == ids + member + topics + TAGS


@pytest.mark.parametrize(("stable", "encoded"), [(True, b"\1"), (False, b"\0")])
def test_offset_fetch_asks_for_stable_offsets(stable: bool, encoded: bytes) -> None:
    """Version 7: group, topics with their partitions, and whether undecided offsets are held back."""
    request = wire.OffsetFetchRequest("group", [("events", [0, 4], NO_TAGS)], stable)
    topics = b"\x02" + text("events") + b"\x03" + number(0, 4) + number(4, 4) + TAGS
    assert request.prepare(ANY).encode() == text("group") + topics + encoded + TAGS


def test_requests_carry_key_version_and_the_flexible_header() -> None:
    """TxnOffsetCommit is API 28 in version 3, OffsetFetch API 9 in version 7."""
    fetch = wire.OffsetFetchRequest("group", [], True).prepare(ANY)
    for struct, api in ((commit(None).prepare(ANY), (28, 3)), (fetch, (9, 7))):
        assert api == (struct.API_KEY, struct.API_VERSION)
        header = struct.build_request_header(correlation_id=6, client_id="me").encode()
        assert header == number(api[0], 2) + number(api[1], 2) + number(6, 4) + number(2, 2) + b"me" + TAGS


@pytest.mark.parametrize("versions", [{28: (0, 2), 9: (0, 6)}, {}])
def test_a_broker_without_these_versions_is_refused(versions: dict[int, tuple[int, int]]) -> None:
    """An older version would commit without a fence, so none is chosen in its place."""
    for request in (commit(None), wire.OffsetFetchRequest("group", [], True)):
        with pytest.raises((NotImplementedError, IncompatibleBrokerVersion)):
            request.prepare(versions)


def test_txn_offset_commit_response_is_read() -> None:
    """Throttle time, then an error code per topic and partition."""
    row = number(3, 4) + number(22, 2) + TAGS
    encoded = number(0, 4) + b"\x02" + text("events") + b"\x02" + row + TAGS + TAGS
    response = wire.TxnOffsetCommitResponse.decode(BytesIO(encoded))
    assert response.errors == [("events", [(3, 22, {})], {})]


def test_offset_fetch_response_is_read() -> None:
    """Offset and metadata per partition, with an error code each and one for all."""
    row = number(3, 4) + number(77, 8) + number(-1, 4) + text("owner;1") + number(88, 2) + TAGS
    encoded = number(0, 4) + b"\x02" + text("events") + b"\x02" + row + TAGS + number(0, 2) + TAGS
    response = wire.OffsetFetchResponse.decode(BytesIO(encoded))
    assert response.topics == [("events", [(3, 77, -1, "owner;1", 88, {})], {})]
    assert response.error_code == 0
