"""Publish what changed about a leg, and keep its extension's lists of legs."""

from streams.domain import following
from streams.domain.extension import Extension
from streams.domain.legs import joins
from streams.domain.legs.advance import advance
from streams.domain.legs.evidence import Leg
from streams.domain.legs.facts import Facts
from streams.domain.outputs import Emission
from streams.domain.postings import Row
from streams.domain.words import State

MAX_ENDED = 20
MAX_OPEN = 1_000
"""Open and unsettled legs that an extension lists: no person has so many. What a broken or hostile page adds pushes
the oldest off the list; they are still ended by their own posts and by their timeout, only no silence closes them."""


def publish(extension: Extension, leg: Leg, facts: Facts, position: Row | None, now: int) -> list[Emission]:
    """Publish what changed about a leg, and keep the extension's lists of legs."""
    following.catch_up(extension, leg)
    emissions = advance(leg, facts, position, now)
    index(extension, leg)
    return emissions


def index(extension: Extension, leg: Leg) -> None:
    """Keep the extension's lists of open, ended and unsettled legs."""
    if leg.state is State.ENDED:
        _list_ended(extension, leg)
        if leg.state_since is not None:
            extension.presence.last_end_at = max(extension.presence.last_end_at, leg.state_since.at)
    elif leg.state is not None:
        extension.open_legs[leg.leg_id] = leg.state
        if len(extension.open_legs) > MAX_OPEN:
            del extension.open_legs[next(iter(extension.open_legs))]
    if leg.settle_due is not None and leg.leg_id not in extension.unsettled:
        extension.unsettled.append(leg.leg_id)
        del extension.unsettled[:-MAX_OPEN]
    elif leg.settle_due is None and leg.leg_id in extension.unsettled:
        extension.unsettled.remove(leg.leg_id)


def _list_ended(extension: Extension, leg: Leg) -> None:
    """Keep the list of the latest that ended: a leg that ends anew becomes the latest, its begin may be another one."""
    ended, begun = extension.ended, joins.begin_of(leg)
    if extension.open_legs.pop(leg.leg_id, None):
        ended.pop(leg.leg_id, None)
    ended[leg.leg_id] = None if begun is None else begun.at
    if len(ended) > MAX_ENDED:
        del ended[next(iter(ended))]


def unlist(extension: Extension, leg: Leg, keeper: Leg | None = None) -> None:
    """Take a leg that is no more off the extension's lists; the one that it was merged into is followed instead."""
    extension.open_legs.pop(leg.leg_id, None)
    extension.ended.pop(leg.leg_id, None)
    if leg.leg_id in extension.unsettled:
        extension.unsettled.remove(leg.leg_id)
    for names in [names for tab in extension.tabs.values() for names in (tab.following, tab.gapped)]:
        if leg.leg_id in names:
            names.remove(leg.leg_id)
            if keeper is not None and keeper.leg_id not in names:
                names.append(keeper.leg_id)
