"""Instants inside an event that nobody believes: the quirk that says so (DECISIONS 56)."""

from streams.domain.events import ABSURD_MS
from streams.domain.postings import Posting

BROWSERS: dict[str, tuple[str, ...]] = {"web_phone_call": ("created_at", "started_at", "ended_at")}
"""Instants by family that the browser's clock read."""
SERVERS: dict[str, tuple[str, ...]] = {"active_call": ("started_at",), "telephony_session": ("created_at",)}
"""Those that a server's clock read."""


def has_absurd_instant(posting: Posting, event_time: int) -> bool:
    """Tell whether an instant of the call lies more than 24 h off its post, on the clock that read it.

    Args:
        posting: An envelope in order.
        event_time: When it was posted, corrected, ms since the epoch.
    """
    event = posting.event
    if event is None or event.family is None or not isinstance(event.row, dict):
        return False
    names = BROWSERS.get(event.family)
    if names is not None:
        # NB: as the extensions stage reads it: without a page load there is no browser's clock to compare with.
        is_read = posting.session_id is not None and posting.captured_at is not None
        return _is_far(event.row, names, posting.captured_at if is_read else event_time)
    return _is_far(event.row, SERVERS.get(event.family, ()), event_time)


def _is_far(row: dict[str, object], names: tuple[str, ...], posted: int | None) -> bool:
    for name in names:
        instant = row[name]
        if isinstance(instant, int) and posted is not None and abs(instant - posted) > ABSURD_MS:
            return True
    return False
