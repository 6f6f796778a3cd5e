"""Holds, parks, resumes and mutes: each fact once, whoever told it and how often (DECISIONS 15 to 18)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from streams.domain.instants import Instant
from streams.domain.legs.evidence import UP, Dialog, Kind, Leg, Post
from streams.domain.legs.ranks import RANK_OF, SAME_MS
from streams.domain.words import Witness

Teller = tuple[Witness, str]
"""A witness in a page load."""
Spans = Sequence[tuple[Instant, Instant | None]]
"""From and to; the last may be open."""


class Verdict(Enum):
    """What a post is beside the others."""

    CHANGE = auto()
    SAME = auto()
    """Another told this very change."""
    STANDING = auto()
    """The leg already is what it says."""
    STALE = auto()
    """A page load that was behind tells what had been told before it."""


@dataclass(slots=True)
class Change:
    """One change of the leg."""

    kind: Kind
    at: Instant
    rank: int
    tellers: list[Teller]


def read_changes(leg: Leg, kinds: Collection[Kind], until: int | None) -> tuple[list[Change], dict[int, Verdict]]:
    """Return the changes in the order in which they happened, and what each post is, by its identity.

    Args:
        leg: The leg; its posts are in order.
        kinds: The kinds that exclude each other.
        until: What happened then or later is no change, ms since the epoch; None: the leg is open.
    """
    changes: list[Change] = []
    verdicts: dict[int, Verdict] = {}
    said: dict[int, Kind] = {}
    behind = _late_rings(leg) if Kind.CONNECTED in kinds and len(leg.sessions) > 1 else {}
    for post in leg.posts:
        if post.kind not in kinds or (until is not None and post.at.at >= until):
            continue
        dialog = leg.dialogs[post.dialog]
        if dialog.own_phone:
            continue
        if _says_again(post, dialog, said):
            verdicts[id(post)] = Verdict.STANDING
            continue
        teller = (dialog.witness, dialog.session_id)
        stale = post.dialog in behind and _is_behind(changes, post, teller, behind)
        verdict = _judge(changes, post, teller, stale=stale)
        if verdict is _CHANGE:
            changes.append(Change(post.kind, post.at, RANK_OF[dialog.witness], [teller]))
        verdicts[id(post)] = verdict
    return changes, verdicts


def _says_again(post: Post, dialog: Dialog, said: dict[int, Kind]) -> bool:
    """Tell whether a telephony session says its status again, in its own order: no resume, no new hold (SPEC 3.4).

    It posts anew when the mute flag changes, and late ones of these come after what others tell of the next change.
    """
    if dialog.witness is not Witness.TELEPHONY_SESSION:
        return False
    before, said[post.dialog] = said.get(post.dialog), post.kind
    return post.kind is before and post.kind in UP and not post.after_loss


def _judge(changes: list[Change], post: Post, teller: Teller, *, stale: bool) -> Verdict:
    same = _same(changes, post, teller) if changes else None
    if same is not None:
        _confirm(same, post, teller)
        return Verdict.SAME
    standing = changes[-1].kind if changes else INITIAL.get(post.kind)
    if post.kind is standing:
        if changes and teller not in changes[-1].tellers:
            changes[-1].tellers.append(teller)
        return Verdict.STANDING
    return Verdict.STALE if stale and _was_told(changes, post, teller) else _CHANGE


_CHANGE = Verdict.CHANGE
INITIAL: dict[Kind, Kind] = {Kind.UNMUTED: Kind.UNMUTED}
"""What a leg is before any change: no unmute is one."""


def _same(changes: list[Change], post: Post, teller: Teller) -> Change | None:
    """Return the earliest change that this post may tell too: one to one, at most 5 s apart."""
    found = None
    for change in reversed(changes):
        if post.at.at - change.at.at > SAME_MS:
            break
        if change.kind is post.kind and teller not in change.tellers:
            found = change
    return found


def _confirm(change: Change, post: Post, teller: Teller) -> None:
    """Note who else told a change; the best witness' instant counts, of equal ones the earlier."""
    change.tellers.append(teller)
    rank = RANK_OF[teller[0]]
    if rank < change.rank or (rank == change.rank and post.at < change.at):
        change.at, change.rank = post.at, rank


def _late_rings(leg: Leg) -> dict[int, int]:
    """Return when each dialog told that it rings, for those that tell statuses: a backlog begins so (SPEC 6)."""
    return {
        post.dialog: post.posted.at
        for post in leg.posts
        if post.kind is Kind.RANG and leg.dialogs[post.dialog].witness is not Witness.WEB_PHONE
    }


def _is_behind(changes: list[Change], post: Post, teller: Teller, behind: dict[int, int]) -> bool:
    """Tell whether a page load goes through a backlog: what it told last was behind, a moment ago."""
    last = behind[post.dialog]
    if post.posted.at - last <= SAME_MS and _were_up(changes, last, teller):
        behind[post.dialog] = post.posted.at
        return True
    del behind[post.dialog]
    return False


def _were_up(changes: list[Change], at: int, teller: Teller) -> bool:
    return bool(changes) and changes[0].at.at < at and any(by is teller[0] for by, _ in changes[0].tellers)


def _was_told(changes: list[Change], post: Post, teller: Teller) -> bool:
    """Tell whether the same kind of witness told such a change in another page load only."""
    return any(
        change.kind is post.kind and teller not in change.tellers and any(by is teller[0] for by, _ in change.tellers)
        for change in changes
    )


def spans(changes: Iterable[Change], on: Kind, begin: Instant | None, end: Instant | None) -> Spans:
    """Return the spans of one kind, not before begin; what is still on at the end closes there."""
    found: list[tuple[Instant, Instant | None]] = []
    since: Instant | None = None
    for change in changes:
        at = begin if begin is not None and change.at.at < begin.at else change.at
        if since is not None and change.kind is not on:
            found.append((since, at))
            since = None
        if change.kind is on:
            since = since or at
    if since is not None:
        found.append((since, end))
    return found
