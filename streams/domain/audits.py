"""What a page load sent, lost and repeated, as the sessions stage knows it (CONTRACT 2, DECISIONS 40)."""

from typing import Any

from streams.domain import page_loads, sequences
from streams.domain.page_loads import PageLoad


def audit_row(load: PageLoad, now: int) -> dict[str, Any]:
    """Return the SessionAudit row of a page load at stream time now; counts are cumulative."""
    counts, read = load.counts, load.read
    return {
        "session_id": load.session_id or "-",
        "extension_key": load.login,
        "received": counts.received,
        "admitted": counts.admitted,
        "duplicate": counts.duplicate,
        "ignored": counts.ignored,
        "dead_letter": counts.dead_letter,
        "lost": sequences.lost(read, now),
        "unsequenced": counts.unsequenced,
        "first_sequence": read.first,
        "last_sequence": read.highest or None,
        "skew_ms": page_loads.skew_of(load),
        "updated_at": now,
    }
