"""Which legs a page load may have lost something of: the flag GAP is theirs (DECISIONS 28, 57).

A page load shows its sequence numbers to the legs that it told of, until they are over. What it loses from then on it
remembers itself: a leg that lives on after all, or ended later than it seemed, is told of these losses when that is
known, so the order in which page loads are read changes no flag.
"""

from streams.domain.events import Event
from streams.domain.extension import Book, Extension, Tab
from streams.domain.legs import gaps
from streams.domain.legs.evidence import Leg, Sighting, Span

MAX_FOLLOWED = 50
"""Legs that a page load may have lost something of; of one more the oldest is given up."""


def follow_sequence(book: Book, event: Event) -> list[Leg]:
    """Show a sequence number to the legs that its page load told of; return those whose flag GAP may have changed."""
    tab, number = book.extension.tabs.get(event.session_id or ""), event.sequence
    if tab is None or number is None or not (tab.span or tab.following or tab.gapped):
        return []
    is_late = _read(tab, number, event)
    waiting = [book.leg(leg_id) for leg_id in tab.gapped] if is_late else []
    legs = [book.leg(leg_id) for leg_id in tab.following]
    changed = [leg for leg in legs if gaps.follow(leg, event)] + [leg for leg in waiting if gaps.fill(leg, event)]
    for leg in (*legs, *waiting):
        _unfollow(tab, leg, event)
    return changed


def _read(tab: Tab, number: int, event: Event) -> bool:
    """Note the number in the page load itself; return whether a later one was read before."""
    if tab.span is None:
        tab.span = Span(number, event.missing_before, number)
        return False
    is_late = number < tab.span.last
    gaps.read(tab.span, number, event)
    gaps.forget_oldest(tab.span)
    return is_late


def begin(tab: Tab, event: Event) -> None:
    """Let a page load that tells of a leg, known or not yet, remember what it loses from here on."""
    if tab.span is None and event.session_id is not None and event.sequence is not None:
        tab.span = Span(event.sequence, event.missing_before, event.sequence)


def tell(extension: Extension, leg: Leg, sighting: Sighting, at: int) -> None:
    """Let the page load of a sighting follow its leg, and tell the leg what was lost since it last did.

    Args:
        extension: The extension of both.
        leg: The leg.
        sighting: What the page load posted of it.
        at: Event time of the post, ms since the epoch.
    """
    tab, number = extension.tabs.get(sighting.session_id), sighting.sequence
    if tab is None or not sighting.session_id or number is None:
        return
    is_new = sighting.session_id not in leg.spans
    span = gaps.begin(leg, sighting)
    if span is not None:
        if tab.span is not None and leg.leg_id not in tab.following:
            gaps.catch_up(span, tab.span, sighting.missing_before if is_new else None)
        gaps.tell(span, number, sighting.missing_before, at)
    _follow(tab, leg)


def catch_up(extension: Extension, leg: Leg) -> None:
    """Tell a leg that changes what its page loads lost since it was over, and follow it again."""
    for session_id, span in leg.spans.items():
        tab = extension.tabs.get(session_id)
        if tab is not None and tab.span is not None and leg.leg_id not in tab.following:
            gaps.catch_up(span, tab.span)
            _follow(tab, leg)


def _follow(tab: Tab, leg: Leg) -> None:
    if leg.leg_id not in tab.following:
        tab.following.append(leg.leg_id)
        del tab.following[:-MAX_FOLLOWED]
    if leg.leg_id in tab.gapped:
        tab.gapped.remove(leg.leg_id)


def _unfollow(tab: Tab, leg: Leg, event: Event) -> None:
    """Follow a leg no longer than its page load may have lost something of it, or may still tell it."""
    if leg.leg_id in tab.following and gaps.is_over(leg, event):
        tab.following.remove(leg.leg_id)
        if gaps.waits(leg, event):
            tab.gapped.append(leg.leg_id)
            del tab.gapped[:-MAX_FOLLOWED]
    elif leg.leg_id in tab.gapped and not gaps.waits(leg, event):
        tab.gapped.remove(leg.leg_id)
