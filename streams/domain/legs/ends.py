"""Which ends end a leg, and which life takes them back (DECISIONS 4, 8, 11, 12, 53, 59)."""

from dataclasses import dataclass, field

from streams.domain.instants import Instant
from streams.domain.legs.evidence import MUTES, UP, Dialog, Hint, Kind, Leg, Post
from streams.domain.words import Witness

FLIPPED = frozenset({"callflip", "callswitch"})
"""Reasons of a telephony session with which only the device leaves the leg."""


@dataclass(slots=True)
class Ends:
    """The ends since the last life that took ends back."""

    counted: list[Post] = field(default_factory=list)
    """Those that end the leg, in the order in which they happened."""
    flipped: Instant | None = None
    """The leg left the browser for another device and lived on."""


@dataclass(slots=True)
class Answers:
    """Which dialogs were answered."""

    first_up: list[Post | None]
    """By dialog: the first post that only an answered leg can make."""
    by: frozenset[int]
    """Dialogs that were answered."""
    forwarded: frozenset[int]
    """Dialogs of the web phone that were answered, if at all, in order to be forwarded (DECISIONS 53)."""


def read_answers(leg: Leg) -> Answers:
    """Say which dialogs were answered."""
    first_up: list[Post | None] = [None] * len(leg.dialogs)
    forwards = set()
    for post in leg.posts:
        if post.kind in UP:
            if first_up[post.dialog] is None:
                first_up[post.dialog] = post
        elif Hint.FORWARDED in post.hints:
            forwards.add(post.dialog)
    started = {
        index
        for index, dialog in enumerate(leg.dialogs)
        if (first_up[index] is not None or dialog.answer is not None) and not dialog.own_phone
    }
    forwarded = frozenset(forwards - started)
    ended = {index for index, dialog in enumerate(leg.dialogs) if dialog.end_answer is not None}
    return Answers(first_up, frozenset(started | (ended - forwarded)), forwarded)


def read_ends(leg: Leg, answers: Answers) -> Ends:
    """Go through the posts as they happened and keep the ends that still count."""
    ends, told, live = Ends(), set[Kind](), set[int]()
    parked = False
    for post in leg.posts:
        dialog, kind = leg.dialogs[post.dialog], post.kind
        if dialog.own_phone:
            continue
        if kind is Kind.ENDED:
            live.discard(post.dialog)
            if _is_flip(leg, post, live):
                ends.flipped = ends.flipped or post.at
            elif not _ends_dialog_only(leg, post, answers, live, parked=parked):
                ends.counted.append(post)
            continue
        live.add(post.dialog)
        if ends.counted and _takes_back(leg, ends.counted, post, told):
            ends.counted = []
        if kind not in MUTES:
            told.add(kind)
            parked = kind is Kind.PARKED
    return ends


def _is_flip(leg: Leg, post: Post, live: set[int]) -> bool:
    """Tell whether the leg only left this device; the browser's word needs a witness that it lives (DECISIONS 11a)."""
    if leg.dialogs[post.dialog].witness is not Witness.WEB_PHONE:
        return (post.reason or "").lower() in FLIPPED
    return Hint.FLIP in post.hints and any(leg.dialogs[index].witness is not Witness.WEB_PHONE for index in live)


def _ends_dialog_only(leg: Leg, post: Post, answers: Answers, live: set[int], *, parked: bool) -> bool:
    dialog = leg.dialogs[post.dialog]
    if dialog.witness is Witness.TELEPHONY_SESSION:
        return any(_is_other_party(leg.dialogs[index], dialog) for index in live)
    if dialog.witness is not Witness.WEB_PHONE:
        return False
    answered_elsewhere = post.dialog not in answers.by and post.dialog not in answers.forwarded and bool(answers.by)
    return parked or answered_elsewhere


def _is_other_party(other: Dialog, dialog: Dialog) -> bool:
    return other.witness is dialog.witness and other.session_id == dialog.session_id


def _takes_back(leg: Leg, counted: list[Post], post: Post, told: set[Kind]) -> bool:
    """Tell whether a sign of life takes the ends back (DECISIONS 12 a, b); c is that such ends do not count."""
    teller = leg.dialogs[post.dialog]
    for end in counted:
        dialog = leg.dialogs[end.dialog]
        if dialog.witness is teller.witness and dialog.session_id == teller.session_id:
            return True
    return post.kind not in MUTES and post.kind not in told and post.at.at > min(end.at.at for end in counted)
