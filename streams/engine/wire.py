"""Two Kafka requests in the versions that aiokafka lacks: TxnOffsetCommit 3 and OffsetFetch 7 (KIP-447).

Private API of aiokafka: `protocol.api` and `protocol.types` (tests/engine/test_private_api.py).
"""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

TXN_OFFSET_COMMIT = (28, 3)
"""API key and version of the first TxnOffsetCommit that carries generation and member: Kafka 2.5."""
OFFSET_FETCH = (9, 7)
"""API key and version of the first OffsetFetch that can ask for stable offsets: Kafka 2.5."""

_TEXT = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)
NO_TAGS: dict[int, bytes] = {}


# The suppressions below: aiokafka has no stubs that mypy may follow, so its classes are Any.
class TxnOffsetCommitResponse(Response):  # type: ignore[misc]
    """Error codes by topic and partition."""

    API_KEY, API_VERSION = TXN_OFFSET_COMMIT
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "errors",
            CompactArray(
                ("topic", _TEXT),
                ("partitions", CompactArray(("partition", Int32), ("error_code", Int16), _TAGS)),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class TxnOffsetCommitStruct(RequestStruct):  # type: ignore[misc]
    """Offsets of a transaction, with the membership that the broker checks them against."""

    API_KEY, API_VERSION = TXN_OFFSET_COMMIT
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = TxnOffsetCommitResponse
    SCHEMA = Schema(
        ("transactional_id", _TEXT),
        ("group_id", _TEXT),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation", Int32),
        ("member_id", _TEXT),
        ("group_instance_id", _TEXT),
        (
            "topics",
            CompactArray(
                ("topic", _TEXT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32), ("offset", Int64), ("leader_epoch", Int32), ("metadata", _TEXT), _TAGS
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class OffsetFetchResponse(Response):  # type: ignore[misc]
    """Committed offsets with their metadata; an error code by partition and one for all."""

    API_KEY, API_VERSION = OFFSET_FETCH
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", _TEXT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", _TEXT),
                        ("error_code", Int16),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        ("error_code", Int16),
        _TAGS,
    )


class OffsetFetchStruct(RequestStruct):  # type: ignore[misc]
    """Which offsets, and whether those of an undecided transaction are to be held back."""

    API_KEY, API_VERSION = OFFSET_FETCH
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = OffsetFetchResponse
    SCHEMA = Schema(
        ("group_id", _TEXT),
        ("topics", CompactArray(("topic", _TEXT), ("partitions", CompactArray(Int32)), _TAGS)),
        ("require_stable", Boolean),
        _TAGS,
    )


class TxnOffsetCommitRequest(Request[TxnOffsetCommitStruct]):  # type: ignore[misc]
    """TxnOffsetCommit; its values stand in the order of the struct's schema."""

    API_KEY = TXN_OFFSET_COMMIT[0]

    def __init__(self, *values: Any):
        """Hold the values."""
        self.values = values

    def build(self, request_struct_class: Any) -> Any:
        """Return the struct that is sent."""
        return request_struct_class(*self.values, NO_TAGS)


class OffsetFetchRequest(Request[OffsetFetchStruct]):  # type: ignore[misc]
    """OffsetFetch; its values stand in the order of the struct's schema."""

    API_KEY = OFFSET_FETCH[0]

    def __init__(self, *values: Any):
        """Hold the values."""
        self.values = values

    def build(self, request_struct_class: Any) -> Any:
        """Return the struct that is sent."""
        return request_struct_class(*self.values, NO_TAGS)
