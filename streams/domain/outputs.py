"""What leaves the extensions stage: a row for one of its topics."""

from enum import StrEnum
from typing import NamedTuple

from streams.domain.postings import Row


class Output(StrEnum):
    """The topics of the extensions stage, by the name of their record (CONTRACT 2)."""

    CALL_EVENT = "CallEvent"
    CALL_RECORD = "CallRecord"
    ACTIVE_CALL = "ActiveCall"
    PRESENCE_EVENT = "PresenceEvent"
    PRESENCE = "Presence"
    MESSAGE_EVENT = "MessageEvent"
    SESSION_EVENT = "SessionEvent"
    INTERVAL_METRICS = "IntervalMetrics"
    SCOPE_DELTA = "ScopeDelta"
    CAPTURE_COVERAGE = "CaptureCoverage"


class Emission(NamedTuple):
    """One record to be written; `row` None is a tombstone."""

    output: Output
    key: str
    row: Row | None
