"""What became of a post about a leg: news, a repetition, or a backlog that is behind (DECISIONS 18, 20)."""

from streams.domain.instants import Instant
from streams.domain.legs.changes import Verdict
from streams.domain.legs.evidence import MUTES, UP, Dialog, Kind, Leg, Post, Sighting
from streams.domain.legs.facts import Facts
from streams.domain.legs.ranks import SAME_MS
from streams.domain.legs.tell import Told
from streams.domain.words import Outcome, State, Witness

WAITING = frozenset({State.DIALING, State.RINGING})
Before = tuple[State | None, frozenset[Witness]]
"""State of the leg before a post, and the witnesses that had posted its end."""


def before_of(leg: Leg) -> Before:
    """Return what must be known of a leg before it is told more."""
    if leg.state is not State.ENDED:
        return leg.state, frozenset()
    return leg.state, frozenset(leg.dialogs[post.dialog].witness for post in leg.posts if post.kind is Kind.ENDED)


def outcome_of(leg: Leg, sighting: Sighting, told: Told, facts: Facts, before: Before) -> Outcome:
    """Return what became of a post.

    Args:
        leg: The leg, the post already told.
        sighting: What the post said.
        told: What that added.
        facts: What the leg's evidence says now.
        before: What the leg was before.
    """
    if not told.added:
        return _without_posts(leg, sighting, told)
    outcomes = {_of_post(leg, post, told.dialog, sighting, facts, before) for post in told.added}
    for outcome in (Outcome.ACCEPTED, Outcome.DUPLICATE):
        if outcome in outcomes:
            return outcome
    return Outcome.IGNORED


def _without_posts(leg: Leg, sighting: Sighting, told: Told) -> Outcome:
    if told.repeated:
        return Outcome.DUPLICATE
    if sighting.kind is None:
        return Outcome.ACCEPTED if sighting.witness is Witness.TELEPHONY_SESSION else Outcome.IGNORED
    if sighting.kind is Kind.ENDED or any(other.word == sighting.word for other in _others(leg, told.dialog)):
        return Outcome.DUPLICATE
    return Outcome.ACCEPTED


def _of_post(leg: Leg, post: Post, dialog: Dialog, sighting: Sighting, facts: Facts, before: Before) -> Outcome:
    if post.kind is Kind.ENDED:
        return _of_end(leg, post, dialog, before)
    if post.kind is Kind.RANG:
        return _of_ring(leg, dialog, facts, before)
    return _of_change(leg, post, dialog, sighting, facts)


def _of_end(leg: Leg, post: Post, dialog: Dialog, before: Before) -> Outcome:
    """The first end of each kind of witness is news, and the first of a dialog that ends only that."""
    if dialog.witness in before[1] and not dialog.own_phone:
        return Outcome.DUPLICATE
    mine = [other for other in leg.posts if other.dialog == post.dialog and other.kind not in MUTES]
    again = any(
        other.kind is Kind.ENDED for other in (mine[-1], mine[-2] if len(mine) > 1 else post) if other is not post
    )
    return Outcome.DUPLICATE if again else Outcome.ACCEPTED


def _of_ring(leg: Leg, dialog: Dialog, facts: Facts, before: Before) -> Outcome:
    reopened = before[0] is State.ENDED and facts.state in WAITING
    if reopened or not _told_by_others(leg, dialog, Kind.RANG):
        return Outcome.ACCEPTED
    if facts.state in WAITING or dialog.witness is Witness.WEB_PHONE:
        return Outcome.DUPLICATE
    return Outcome.IGNORED


def _of_change(leg: Leg, post: Post, dialog: Dialog, sighting: Sighting, facts: Facts) -> Outcome:
    verdict = facts.verdicts.get(id(post))
    if verdict is Verdict.CHANGE:
        return Outcome.DUPLICATE if _told_at_once(leg, post, dialog, facts) else Outcome.ACCEPTED
    if verdict is Verdict.STALE:
        return Outcome.IGNORED
    if _told_by_others(leg, dialog, post.kind):
        late = verdict is None and dialog.witness is not Witness.WEB_PHONE
        return Outcome.IGNORED if late else Outcome.DUPLICATE
    repeated = verdict is Verdict.STANDING and not sighting.missing_before and _said_last(leg, post)
    return Outcome.DUPLICATE if repeated else Outcome.ACCEPTED


def _told_at_once(leg: Leg, post: Post, dialog: Dialog, facts: Facts) -> bool:
    """Tell whether another page load had told this very change, which happened a little later by its clock."""
    return len(leg.sessions) > 1 and any(
        other.kind is post.kind
        and facts.verdicts.get(id(other)) is Verdict.SAME
        and 0 <= other.at.at - post.at.at <= SAME_MS
        and leg.dialogs[other.dialog].witness is dialog.witness
        and leg.dialogs[other.dialog].session_id != dialog.session_id
        for other in leg.posts
    )


def _said_last(leg: Leg, post: Post) -> bool:
    """Tell whether the dialog's own post before this one, of those that exclude each other, said the same."""
    family = UP if post.kind in UP else MUTES
    mine = [other for other in leg.posts if other.dialog == post.dialog and other.kind in family]
    place = next(index for index, other in enumerate(mine) if other is post)
    return place > 0 and mine[place - 1].kind is post.kind


def _others(leg: Leg, dialog: Dialog) -> list[Dialog]:
    """Return the dialogs of the same witness in other page loads."""
    return [
        other
        for other in leg.dialogs
        if other.witness is dialog.witness and other.session_id != dialog.session_id and not other.own_phone
    ]


def _told_by_others(leg: Leg, dialog: Dialog, kind: Kind) -> bool:
    if len(leg.sessions) < 2:
        return False
    return any(
        post.kind is kind
        and leg.dialogs[post.dialog].witness is dialog.witness
        and leg.dialogs[post.dialog].session_id != dialog.session_id
        for post in leg.posts
    )


def last_told(leg: Leg, facts: Facts) -> Instant | None:
    """Return when the last news of the leg was posted, the same whatever came first; a repetition is no news."""
    told = [_first_told(leg, post) for post in leg.posts if post.kind is not Kind.ENDED and _is_news(leg, post, facts)]
    return max(told, default=None)


def _is_news(leg: Leg, post: Post, facts: Facts) -> bool:
    if post.kind is Kind.RANG:
        return True
    verdict = facts.verdicts.get(id(post))
    return verdict is not Verdict.STALE and not (verdict is Verdict.STANDING and _told_before(leg, post))


def _told_before(leg: Leg, post: Post) -> bool:
    """Tell whether the same kind of witness told the same earlier in another page load."""
    dialog = leg.dialogs[post.dialog]
    for other in leg.posts:
        if other is post:
            return False
        teller = leg.dialogs[other.dialog]
        is_other = teller.witness is dialog.witness and teller.session_id != dialog.session_id
        if other.kind is post.kind and is_other:
            return True
    return False


def _first_told(leg: Leg, post: Post) -> Instant:
    """Return when the same kind of witness first told what a post tells."""
    witness = leg.dialogs[post.dialog].witness
    same = (
        other.posted
        for other in leg.posts
        if other.kind is post.kind
        and leg.dialogs[other.dialog].witness is witness
        and (post.kind is Kind.RANG or abs(other.at.at - post.at.at) <= SAME_MS)
    )
    return min(same)
