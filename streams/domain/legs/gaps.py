"""Whether a page load lost something while a leg was open in it: the flag GAP (DECISIONS 28, 57).

The extensions stage sees of each page load only what was admitted, with the count of numbers missing before it. The
difference of two such counts is the number of holes between them; a number that is read late fills its hole. A hole
lies before the leg's end when the post that showed it does, by event time: what was read first does not matter.
"""

from streams.domain.events import Event
from streams.domain.instants import Instant
from streams.domain.legs.evidence import Hole, Kind, Leg, Post, Sighting, Span
from streams.domain.legs.ranks import SAME_MS
from streams.domain.words import State

MAX_SPANS = 100
MAX_HOLES = 20
"""Of one page load during one leg; the first is enough for the flag."""


def begin(leg: Leg, sighting: Sighting) -> Span | None:
    """Return what the leg knows of the sighting's page load, which begins with its first post about it."""
    number, session_id = sighting.sequence, sighting.session_id
    span = leg.spans.get(session_id)
    if span is None and number is not None and len(leg.spans) < MAX_SPANS:
        span = leg.spans[session_id] = Span(number, sighting.missing_before, number)
    return span


def tell(span: Span, number: int, missing_before: int, at: int) -> None:
    """Note a post about the leg itself, which may prove to be the first; `at` is its event time."""
    if number > span.last:
        _go_on(span, number, at, missing_before)
    elif number < span.first:
        between = span.missing_at_first - missing_before
        if between > 0:
            span.holes.append(Hole(span.first, at, between))
        span.first, span.missing_at_first = number, missing_before


def follow(leg: Leg, event: Event) -> bool:
    """Note that the page load posted, about whatever; return whether that may change the flag."""
    span, number = leg.spans.get(event.session_id or ""), event.sequence
    return span is not None and number is not None and read(span, number, event)


def fill(leg: Leg, event: Event) -> bool:
    """Note that the page load posted late, for a leg that it does not follow any more."""
    span, number = leg.spans.get(event.session_id or ""), event.sequence
    return span is not None and number is not None and number < span.last and read(span, number, event)


def read(span: Span, number: int, event: Event) -> bool:
    """Note that a number was read; return whether the holes changed."""
    if number > span.last:
        return _go_on(span, number, event.event_time, event.missing_before)
    if number < span.first:
        span.missing_at_first = max(0, span.missing_at_first - 1)
        return False
    return _fill(span, number)


def catch_up(span: Span, page_load: Span, missing_before: int | None = None) -> None:
    """Tell a leg's span what the page load has lost since the leg was last shown a number.

    Args:
        span: The leg's.
        page_load: The page load's own.
        missing_before: For a span that begins in the middle of a hole, how many numbers before it are missing: these
            are none of the leg's.
    """
    missed = [Hole(hole.shown_by, hole.at, hole.missing) for hole in page_load.holes if hole.shown_by > span.last]
    if missed and missing_before is not None:
        shown = [hole.missing for hole in page_load.holes if hole.shown_by <= missed[0].shown_by]
        behind = page_load.missing_at_first + sum(shown) - missing_before
        missed[0].missing = min(missed[0].missing, behind)
        missed = missed if behind > 0 else missed[1:]
    span.holes += missed[: MAX_HOLES - len(span.holes)]
    span.last = max(span.last, page_load.last)


def forget_oldest(page_load: Span) -> None:
    """Keep the latest holes of a page load that loses without end: let it begin after the oldest."""
    if len(page_load.holes) == MAX_HOLES:
        oldest = page_load.holes.pop(0)
        page_load.first = oldest.shown_by
        page_load.missing_at_first += oldest.missing


def _go_on(span: Span, number: int, at: int, missing_before: int) -> bool:
    missing = missing_before - span.missing_at_first - sum(hole.missing for hole in span.holes)
    span.last = number
    if missing <= 0 or len(span.holes) >= MAX_HOLES:
        return False
    span.holes.append(Hole(number, at, missing))
    return True


def _fill(span: Span, number: int) -> bool:
    shown = [hole for hole in span.holes if hole.shown_by > number]
    if not shown:
        return False
    filled = min(shown, key=lambda hole: hole.shown_by)
    filled.missing -= 1
    if not filled.missing:
        span.holes.remove(filled)
    return True


def is_over(leg: Leg, event: Event) -> bool:
    """Tell whether the leg had ended when the page load posted: what it loses from now on is none of the leg's.

    The end is the record's, which a better witness may have moved since the first one was told; one that moves it yet
    again lets its page loads catch up. What was posted up to SAME_MS later may still tell of this end.
    """
    since = leg.state_since
    return leg.state is State.ENDED and since is not None and event.event_time > since.at + leg.end_moved_ms + SAME_MS


def waits(leg: Leg, event: Event) -> bool:
    """Tell whether something that the page load posted during the leg may still come."""
    span = leg.spans.get(event.session_id or "")
    return span is not None and bool(span.holes)


def comes_after_loss(leg: Leg, post: Post) -> bool:
    """Tell whether something before a post is lost for good: what came late, overtaken by the post, is not."""
    span = leg.spans.get(leg.dialogs[post.dialog].session_id) if post.after_loss else None
    if span is None or post.sequence is None or len(span.holes) >= MAX_HOLES:
        return post.after_loss
    return any(hole.shown_by <= post.sequence for hole in span.holes)


def has_gap(leg: Leg, end: Instant | None) -> bool:
    """Tell whether a page load lost something between its first post about this leg and the leg's end."""
    return any(span.holes and _has_gap(leg, session_id, span, end) for session_id, span in leg.spans.items())


def _has_gap(leg: Leg, session_id: str, span: Span, end: Instant | None) -> bool:
    if end is None:
        return True
    # The post of the end comes a moment after the end that it tells; what it shows lies before it.
    told = [
        post.sequence
        for post in leg.posts
        if post.kind is Kind.ENDED
        and post.sequence is not None
        and leg.dialogs[post.dialog].session_id == session_id
        and abs(post.at.at - end.at) <= SAME_MS
    ]
    last = min(told, default=0)
    return any(hole.at <= end.at or hole.shown_by <= last for hole in span.holes)
