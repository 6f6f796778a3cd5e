"""Write a sighting into the evidence of its leg (DECISIONS 2, 4, 15, 18). Nothing is concluded here."""

from typing import NamedTuple

from streams.domain.instants import Instant
from streams.domain.legs.evidence import MUTES, UP, Dialog, Kind, Leg, Post, Sighting
from streams.domain.legs.ranks import RANK_OF
from streams.domain.words import Direction, Witness

MAX_SESSIONS = 100
MAX_DIALOGS = 200
MAX_POSTS = 1_000
MAX_ENDS = 20
"""No real leg comes near these bounds; they keep what a broken or hostile widget posts from filling the memory."""


class Told(NamedTuple):
    """What became of a sighting in the evidence."""

    added: list[Post]
    repeated: bool
    """Its page load had said the very same last."""
    dialog: Dialog
    realigned: bool
    """It told better how wrong its clock is: instants that were told before moved."""


def tell(leg: Leg, sighting: Sighting) -> Told:
    """Add one sighting to the leg's evidence."""
    realigned = _align(leg, sighting)
    index = _dialog(leg, sighting)
    dialog = leg.dialogs[index]
    if sighting.session_id and sighting.session_id not in leg.sessions and len(leg.sessions) < MAX_SESSIONS:
        leg.sessions.append(sighting.session_id)
    _note(dialog, sighting)
    repeated = _is_repeat(dialog, sighting)
    overtaken = _is_overtaken(dialog, sighting)
    added = []
    if sighting.kind is not None and not repeated and _is_new(leg, index, sighting):
        added.append(_add(leg, index, sighting, sighting.kind, sighting.at))
    if not overtaken:
        added += _mute(leg, index, sighting)
        dialog.word, dialog.latest, dialog.lost_before = sighting.word, sighting.sequence, sighting.missing_before
    return Told(added, repeated, dialog, realigned)


def _is_overtaken(dialog: Dialog, sighting: Sighting) -> bool:
    """Tell whether the page load had said something later before: such a post is no last word (SPEC 4.2)."""
    return dialog.latest is not None and sighting.sequence is not None and sighting.sequence < dialog.latest


def _mute(leg: Leg, index: int, sighting: Sighting) -> list[Post]:
    """Add a change of the mute flag that the post tells beside its status; at the end it is no sign of life."""
    dialog = leg.dialogs[index]
    if sighting.muted is None or sighting.muted is dialog.muted:
        return []
    dialog.muted = sighting.muted
    if sighting.kind is Kind.ENDED:
        return []
    kind = Kind.MUTED if sighting.muted else Kind.UNMUTED
    return [_add(leg, index, sighting, kind, sighting.posted)]


def dialog_of(leg: Leg, sighting: Sighting) -> Dialog | None:
    """Return the dialog that a sighting belongs to, if the leg has it."""
    for dialog in leg.dialogs:
        if _is_of(dialog, sighting):
            return dialog
    return None


def _is_of(dialog: Dialog, sighting: Sighting) -> bool:
    return (
        dialog.witness is sighting.witness
        and dialog.session_id == sighting.session_id
        and dialog.dialog == sighting.dialog
    )


def _dialog(leg: Leg, sighting: Sighting) -> int:
    for index, dialog in enumerate(leg.dialogs):
        if _is_of(dialog, sighting):
            return index
    if len(leg.dialogs) >= MAX_DIALOGS:
        return len(leg.dialogs) - 1
    own_phone = leg.paired and sighting.direction is Direction.INBOUND
    leg.dialogs.append(Dialog(sighting.witness, sighting.session_id, sighting.dialog, own_phone))
    return len(leg.dialogs) - 1


def _note(dialog: Dialog, sighting: Sighting) -> None:
    """Keep the instants that a post tells beside its own."""
    if sighting.ring is not None:
        dialog.ring = _earlier(dialog.ring, sighting.ring)
    if sighting.begun is not None:
        dialog.begun = _earlier(dialog.begun, sighting.begun)
    if sighting.other_rings:
        dialog.other_rang = True
    elif sighting.other_is_up and sighting.kind not in (None, Kind.RANG, Kind.ENDED):
        dialog.other_answer = _earlier(dialog.other_answer, sighting.posted)
    if sighting.answer is None:
        return
    if sighting.kind is Kind.ENDED:
        dialog.end_answer = _earlier(dialog.end_answer, sighting.answer)
    else:
        dialog.answer = _earlier(dialog.answer, sighting.answer)


def _is_repeat(dialog: Dialog, sighting: Sighting) -> bool:
    """Tell whether it is equal to what its page load said last, nothing lost between (DECISIONS 18)."""
    if sighting.kind is Kind.ENDED and sighting.witness is Witness.WEB_PHONE:
        return False
    return dialog.word == sighting.word and not _was_lost_between(dialog, sighting)


def _was_lost_between(dialog: Dialog, sighting: Sighting) -> bool:
    """Tell whether the page load lost something since its last post about the leg."""
    return sighting.missing_before > dialog.lost_before


def _is_new(leg: Leg, index: int, sighting: Sighting) -> bool:
    """Tell whether a post adds anything: Setup and Proceeding are one ring, and there is a bound.

    A telephony session posts anew when its mute flag changes: answered after answered is no resume (SPEC 3.4).
    """
    kind = sighting.kind
    if kind is Kind.ENDED:
        return sum(post.kind is kind and post.dialog == index for post in leg.posts) < MAX_ENDS
    if len(leg.posts) >= MAX_POSTS:
        return False
    last = _last_of(leg, index)
    if last is None or last.kind is not kind:
        return True
    answered_again = kind is Kind.CONNECTED and sighting.witness is Witness.TELEPHONY_SESSION
    return not (kind is Kind.RANG or (answered_again and not _may_resume(leg.dialogs[index], sighting)))


def _may_resume(dialog: Dialog, sighting: Sighting) -> bool:
    """Tell whether a hold may be lost between: a change of the mute flag would say why it was posted again."""
    return _was_lost_between(dialog, sighting) and sighting.muted is dialog.muted


def _may_follow_loss(leg: Leg, index: int, sighting: Sighting) -> bool:
    """Tell whether what was lost may be of this leg; a mute accounts for a status told again, not told first."""
    dialog = leg.dialogs[index]
    if not _was_lost_between(dialog, sighting):
        return False
    told = any(post.dialog == index and post.kind is sighting.kind for post in leg.posts)
    return not told or sighting.muted is dialog.muted


def _last_of(leg: Leg, index: int) -> Post | None:
    """Return the last post of a dialog that is not about mute."""
    for post in reversed(leg.posts):
        if post.dialog == index and post.kind not in MUTES:
            return post
    return None


def _add(leg: Leg, index: int, sighting: Sighting, kind: Kind, at: Instant) -> Post:
    post = Post(kind, at, sighting.posted, index, at.at, sighting.sequence)
    post.after_loss = kind in UP and _may_follow_loss(leg, index, sighting)
    if kind is Kind.ENDED:
        post.hints, post.code = sighting.hints, sighting.code
        post.reason, post.handed_on = sighting.reason, sighting.handed_on
    if not leg.posts or _is_last(leg, post):
        leg.posts.append(post)
        return post
    leg.posts.append(post)
    put_in_order(leg, index, post.order < leg.posts[-2].order)
    return post


def _is_last(leg: Leg, post: Post) -> bool:
    """Tell whether a post comes after all others, also by the numbers of its page load: so it mostly is."""
    last = leg.posts[-1]
    if post.order <= last.order or post.sequence is None:
        return False
    for other in reversed(leg.posts):
        if other.dialog == post.dialog:
            return other.sequence is not None and other.sequence <= post.sequence
    return True


def put_in_order(leg: Leg, index: int, disturbed: bool = True) -> None:
    """Sort the posts as they happened; a page load's own order is kept whatever its instants say."""
    mine = [post for post in leg.posts if post.dialog == index]
    if len(mine) > 1 and mine[-1].sequence is not None:
        mine.sort(key=lambda post: post.sequence or 0)
    latest = 0
    for post in mine:
        order = max(post.at.at, latest)
        disturbed = disturbed or order != post.order
        post.order = latest = order
    if disturbed or (len(leg.posts) > 1 and leg.posts[-1].order <= leg.posts[-2].order):
        leg.posts.sort(key=lambda post: _place(leg, post))


def put_all_in_order(leg: Leg) -> None:
    """Sort the posts of a leg that got dialogs from elsewhere."""
    for index in range(len(leg.dialogs)):
        put_in_order(leg, index)


def _place(leg: Leg, post: Post) -> tuple[int, int, str, int, int]:
    dialog = leg.dialogs[post.dialog]
    return post.order, RANK_OF[dialog.witness], dialog.session_id, post.sequence or 0, post.at.at


def _align(leg: Leg, sighting: Sighting) -> bool:
    """Correct all readings of one clock by one skew, the smallest that was seen: delay only ever adds to it."""
    skew, clock = sighting.skew_ms, sighting.posted.clock
    if skew is None or not clock:
        return False
    known = leg.skews.get(clock)
    if known is None:
        if len(leg.skews) < MAX_SESSIONS:
            leg.skews[clock] = skew
        return False
    if skew < known:
        leg.skews[clock] = skew
        _realign(leg, clock, skew)
        return True
    if skew > known:
        sighting.at, sighting.posted = _correct(sighting.at, clock, known), _correct(sighting.posted, clock, known)
        sighting.ring = _corrected(sighting.ring, clock, known)
        sighting.answer = _corrected(sighting.answer, clock, known)
        sighting.begun = _corrected(sighting.begun, clock, known)
    return False


def _realign(leg: Leg, clock: str, skew: int) -> None:
    for index, dialog in enumerate(leg.dialogs):
        dialog.ring = _corrected(dialog.ring, clock, skew)
        dialog.answer = _corrected(dialog.answer, clock, skew)
        dialog.end_answer = _corrected(dialog.end_answer, clock, skew)
        dialog.other_answer = _corrected(dialog.other_answer, clock, skew)
        dialog.missing = _corrected(dialog.missing, clock, skew)
        touched = False
        for post in leg.posts:
            if post.dialog == index and clock in (post.at.clock, post.posted.clock):
                post.at, post.posted = _correct(post.at, clock, skew), _correct(post.posted, clock, skew)
                touched = True
        if touched:
            put_in_order(leg, index)


def _corrected(instant: Instant | None, clock: str, skew: int) -> Instant | None:
    return None if instant is None else _correct(instant, clock, skew)


def _correct(instant: Instant, clock: str, skew: int) -> Instant:
    if instant.clock != clock:
        return instant
    return Instant(min(instant.at, instant.reading + skew), instant.reading, clock)


def _earlier(known: Instant | None, told: Instant) -> Instant:
    return told if known is None or told < known else known
