"""Which ends end a leg, and which life takes them back (DECISIONS 4, 8, 11, 12, 53, 59)."""

from dataclasses import dataclass, field

from streams.domain.instants import Instant
from streams.domain.legs.evidence import MUTES, UP, Dialog, Hint, Kind, Leg, Post
from streams.domain.words import Witness

FLIPPED = frozenset({"callflip", "callswitch"})
"""Reasons of a telephony session with which only the device leaves the leg."""


# Read once: to look a member up costs more than to compare with it, and every post is compared.
_ENDED, _PARKED = Kind.ENDED, Kind.PARKED


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
    by: set[int]
    """Dialogs that were answered."""
    forwarded: set[int]
    """Dialogs of the web phone that were answered, if at all, in order to be forwarded (DECISIONS 53)."""
    only_to_forward: bool = False
    """The leg was answered in order to be forwarded, in no other browser for a talk: it was not answered."""

    def only_forwards(self, dialog: int) -> bool:
        """Tell whether a dialog was answered, if at all, in order to be forwarded."""
        return self.only_to_forward or dialog in self.forwarded


def read_answers(leg: Leg) -> Answers:
    """Say which dialogs were answered."""
    first_up: list[Post | None] = [None] * len(leg.dialogs)
    forwards: set[int] = set()
    for post in leg.posts:
        if post.kind in UP:
            if first_up[post.dialog] is None:
                first_up[post.dialog] = post
        elif post.hints and Hint.FORWARDED in post.hints:
            forwards.add(post.dialog)
    by: set[int] = set()
    for index, dialog in enumerate(leg.dialogs):
        is_started = (first_up[index] is not None or dialog.answer is not None) and not dialog.own_phone
        if is_started or (dialog.end_answer is not None and index not in forwards):
            by.add(index)
    talked = any(leg.dialogs[index].witness is Witness.WEB_PHONE for index in by)
    return Answers(first_up, by, forwards - by, bool(forwards - by) and not talked)


@dataclass(slots=True)
class _Course:
    """How far the posts were read."""

    ends: Ends
    told: set[Kind] = field(default_factory=set)
    live: set[int] = field(default_factory=set)
    """Dialogs that said life last."""
    parked: bool = False


def read_ends(leg: Leg, answers: Answers) -> Ends:
    """Go through the posts as they happened and keep the ends that still count."""
    ends = Ends()
    course = _Course(ends)
    for post in leg.posts:
        if leg.dialogs[post.dialog].own_phone:
            continue
        kind = post.kind
        if kind is _ENDED:
            _end(leg, post, answers, course)
            continue
        course.live.add(post.dialog)
        if ends.counted:
            _go_on(leg, post, answers, course)
        if kind not in MUTES:
            course.told.add(kind)
            course.parked = kind is _PARKED
    return ends


def _end(leg: Leg, post: Post, answers: Answers, course: _Course) -> None:
    course.live.discard(post.dialog)
    if _is_flip(leg, post, course.live):
        course.ends.flipped = course.ends.flipped or post.at
    elif not _ends_dialog_only(leg, post, answers, course):
        course.ends.counted.append(post)


def _go_on(leg: Leg, post: Post, answers: Answers, course: _Course) -> None:
    """Let a sign of life after the end take the end back, if it may."""
    ends = course.ends
    if _shows_flip(leg, ends.counted, post):
        ends.flipped = ends.flipped or ends.counted[0].at
        ends.counted = []
    elif _takes_back(leg, ends.counted, post, answers, course.told):
        ends.counted = []


def _is_flip(leg: Leg, post: Post, live: set[int]) -> bool:
    """Tell whether the leg only left this device; the browser's word needs a witness that it lives (DECISIONS 11a)."""
    if leg.dialogs[post.dialog].witness is not Witness.WEB_PHONE:
        return (post.reason or "").lower() in FLIPPED
    return Hint.FLIP in post.hints and any(leg.dialogs[index].witness is not Witness.WEB_PHONE for index in live)


def _shows_flip(leg: Leg, counted: list[Post], post: Post) -> bool:
    """Tell whether another witness shows alive what the browser had flipped away a moment ago (DECISIONS 11a, 12c)."""
    if post.kind not in UP or leg.dialogs[post.dialog].witness is Witness.WEB_PHONE:
        return False
    return all(Hint.FLIP in end.hints and post.posted.at > end.at.at for end in counted)


def _ends_dialog_only(leg: Leg, post: Post, answers: Answers, course: _Course) -> bool:
    dialog = leg.dialogs[post.dialog]
    if dialog.witness is Witness.TELEPHONY_SESSION:
        return any(_is_other_party(leg.dialogs[index], dialog) for index in course.live)
    if dialog.witness is not Witness.WEB_PHONE:
        return False
    is_other = post.dialog not in answers.by and not answers.only_forwards(post.dialog)
    answered_elsewhere = is_other and bool(answers.by)
    return course.parked or answered_elsewhere


def _is_other_party(other: Dialog, dialog: Dialog) -> bool:
    return other.witness is dialog.witness and other.session_id == dialog.session_id


def _takes_back(leg: Leg, counted: list[Post], post: Post, answers: Answers, told: set[Kind]) -> bool:
    """Tell whether a sign of life takes the ends back (DECISIONS 12 a, b); c is that such ends do not count."""
    teller = leg.dialogs[post.dialog]
    for end in counted:
        dialog = leg.dialogs[end.dialog]
        if dialog.witness is teller.witness and dialog.session_id == teller.session_id:
            return True
        if answers.only_forwards(end.dialog) and teller.witness is not Witness.WEB_PHONE:
            # Answered in order to be forwarded is no life after the end (DECISIONS 53).
            return False
    if post.kind in MUTES or post.kind in told:
        return False
    first = min(end.at.at for end in counted)
    # The browser leaves a leg at the very instant at which it is parked (DECISIONS 11b).
    return post.at.at > first or (post.kind is Kind.PARKED and post.at.at == first)
