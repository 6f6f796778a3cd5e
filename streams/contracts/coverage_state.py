"""Saved state of capture coverage: plain JSON lists, the quarters of an extension as a hexadecimal number."""

from streams.contracts.state_words import Document
from streams.domain.coverage import Coverage, Heard, Rounds
from streams.domain.intervals.windows import Window


def heard_document(heard: Heard) -> Document:
    """Return when an extension was heard as JSON."""
    return [heard.first, f"{heard.quarters:x}"]


def read_heard(document: Document) -> Heard:
    """Return when an extension was heard."""
    first, quarters = document
    return Heard(first, int(quarters, 16))


def coverage_document(coverage: Coverage) -> Document:
    """Return what was told of a day as JSON."""
    return [
        coverage.account_id,
        tuple(coverage.window),
        coverage.version,
        coverage.extensions,
        coverage.heard,
        coverage.not_heard,
        coverage.revision,
        coverage.is_final,
        coverage.changed_at,
    ]


def read_coverage(document: Document) -> Coverage:
    """Return what was told of a day."""
    account_id, window, *rest = document
    return Coverage(account_id, Window(*window), *rest)


def rounds_document(rounds: Rounds) -> Document:
    """Return the rounds of a partition as JSON."""
    return [rounds.due, rounds.open]


def read_rounds(document: Document) -> Rounds:
    """Return the rounds of a partition."""
    due, names = document
    return Rounds(due, names)
