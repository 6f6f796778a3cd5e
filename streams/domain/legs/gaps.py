"""Whether a page load lost something while a leg was open in it: the flag GAP (DECISIONS 28, 57).

The extensions stage sees of each page load only what was admitted, with the count of numbers missing before it. The
difference of two such counts is the number of holes between them; a number that is read late fills its hole.
"""

from streams.domain.legs.evidence import Leg, Span

MAX_SPANS = 100


def begin(leg: Leg, session_id: str, number: int, missing_before: int) -> None:
    """Follow this page load for the leg, from its first post about it."""
    span = leg.spans.get(session_id)
    if span is None and len(leg.spans) >= MAX_SPANS:
        return
    if span is None:
        leg.spans[session_id] = Span(number, missing_before, number, missing_before)
    elif number < span.first:
        span.first, span.missing_at_first = number, missing_before


def follow(leg: Leg, session_id: str, number: int, missing_before: int, *, is_open: bool) -> bool:
    """Note that the page load posted number, about whatever; return whether that may change the flag."""
    span = leg.spans.get(session_id)
    if span is None:
        return False
    if number > span.last:
        if not is_open:
            return False
        is_same = span.missing_at_last == missing_before
        span.last, span.missing_at_last = number, missing_before
        return not is_same
    if number < span.first and span.missing_at_first:
        span.missing_at_first -= 1
    if span.missing_at_last:
        span.missing_at_last -= 1
    return True


def has_gap(leg: Leg) -> bool:
    """Tell whether a page load lost something between its first and its last post about this leg."""
    return any(span.missing_at_last > span.missing_at_first for span in leg.spans.values())
