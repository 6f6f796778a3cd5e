"""When a leg was over, and who says so: real ends, ends of a dialog alone, reopenings, conclusions (DECISIONS B, D)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tests.oracle.posts import Instant, Post
from tests.oracle.testimony import LIVE, TALKING, State, Testimony, Witness

FLAGS_WITHIN_MS = 5_000
GRACE_MS = 5_000
LEG_TIMEOUT_MS = 4 * 3_600_000


class Source(Enum):
    """Who gave the end (CONTRACT 6)."""

    WEB_PHONE = "WEB_PHONE"
    TELEPHONY_SESSION = "TELEPHONY_SESSION"
    ACTIVE_CALL = "ACTIVE_CALL"
    PRESENCE = "PRESENCE"
    SNAPSHOT = "SNAPSHOT"
    LOGOUT = "LOGOUT"
    TIMEOUT = "TIMEOUT"


SOURCES = (Source.WEB_PHONE, Source.TELEPHONY_SESSION, Source.ACTIVE_CALL)


@dataclass(frozen=True)
class End:
    """The end of a leg: instant, source, and the flags of the end that ended it (DECISIONS 4, 33)."""

    at: Instant
    source: Source
    flags: frozenset[str] = frozenset()
    told: tuple[Testimony, ...] = ()

    @property
    def inferred(self) -> bool:
        """Nobody told it."""
        return self.source not in SOURCES


@dataclass(frozen=True)
class Evidence:
    """Something that closes legs of an extension without telling of a call (DECISIONS 24, 25)."""

    source: Source
    post: Post
    dialogs: frozenset[str] | None = None


def real_end(told: Sequence[Testimony], answered: bool) -> End | None:
    """Return the leg's end as the best witness told it, or null when no end counts."""
    groups = [group for group in _dialogs(told) if not _only_its_dialog(group, told, answered)]
    reopened = _last_reopening(groups, told)
    later = [[testimony for testimony in group if testimony.since.at > reopened] for group in groups]
    counting = [
        _of_group(group) for group in later if group
    ]  # ends before the last reopening do not count, DECISIONS 4
    for source in SOURCES:
        ends = [end for end in counting if end.source is source]
        if ends:
            return _with_flags_of_all(min(ends, key=lambda end: end.at.at), ends)
    return None


def _with_flags_of_all(first: End, ends: Sequence[End]) -> End:
    """The witness's earliest end, with the flags of all its ends within 5 s of it (DECISIONS 4)."""
    near = [end.flags for end in ends if end.at.at - first.at.at <= FLAGS_WITHIN_MS]
    return replace(first, flags=frozenset().union(*near))


def _dialogs(told: Sequence[Testimony]) -> list[list[Testimony]]:
    """Ends of one dialog belong together (DECISIONS 52); those of other witnesses by page load."""
    found: dict[tuple[str, ...], list[Testimony]] = defaultdict(list)
    for testimony in told:
        if testimony.state is State.ENDED:
            found[(testimony.post.session, testimony.witness.name, testimony.dialog or "")].append(testimony)
    return list(found.values())


def _of_group(group: Sequence[Testimony]) -> End:
    """The earliest end's instant and the flags of all within 5 s of it (DECISIONS 4)."""
    first = min(group, key=lambda testimony: testimony.since.at)
    near = [testimony for testimony in group if testimony.since.at - first.since.at <= FLAGS_WITHIN_MS]
    flags = frozenset().union(*(testimony.flags for testimony in near))
    return End(first.since, SOURCES[first.witness.rank], flags, tuple(group))


def _only_its_dialog(group: Sequence[Testimony], told: Sequence[Testimony], answered: bool) -> bool:
    """DECISIONS 11: a web-phone end that is not the leg's end."""
    end = _of_group(group)
    if end.source is not Source.WEB_PHONE:
        return False
    flipped = "isOnFlip" in end.flags and _alive_elsewhere(end.at, told)
    return flipped or _parked(end.at, told) or (answered and not _dialog_answered(group, told))


def _alive_elsewhere(at: Instant, told: Sequence[Testimony]) -> bool:
    others = [testimony for testimony in told if testimony.witness is not Witness.WEB_PHONE]
    over = [testimony for testimony in others if testimony.state is State.ENDED and testimony.since.at <= at.at]
    return any(testimony.state in LIVE for testimony in others) and not over


def _parked(at: Instant, told: Sequence[Testimony]) -> bool:
    """Whether the leg lay parked when the dialog ended, or was parked right after (DECISIONS 11 b, 12 b)."""
    parks = [testimony.since.at for testimony in told if testimony.state is State.PARKED]
    taken = [testimony.since.at for testimony in told if testimony.state is State.CONNECTED]
    return any(park > at.at or not any(park < resumed <= at.at for resumed in taken) for park in parks)


def _dialog_answered(group: Sequence[Testimony], told: Sequence[Testimony]) -> bool:
    """An end without `startTime` says only that this tab is out (DECISIONS 52)."""
    name = (group[0].post.session, group[0].dialog)
    return any(testimony.answer is not None for testimony in told if (testimony.post.session, testimony.dialog) == name)


def _last_reopening(groups: Iterable[Sequence[Testimony]], told: Sequence[Testimony]) -> int:
    """The latest sign of life that takes an end back (DECISIONS 12 a, b), else minus infinity."""
    latest = -(2**62)
    for group in groups:
        for testimony in told:
            if testimony.state in LIVE and (_again(testimony, group) or _new_state(testimony, group, told)):
                latest = max(latest, testimony.post.at.at)
    return latest


def _again(life: Testimony, group: Sequence[Testimony]) -> bool:
    """The same witness in the same page load had posted the end before (DECISIONS 12 a)."""
    end = group[0]
    if (life.witness, life.post.session) != (end.witness, end.post.session):
        return False
    return life.post.place > min(testimony.post.place for testimony in group)


def _new_state(life: Testimony, group: Sequence[Testimony], told: Sequence[Testimony]) -> bool:
    """A state after the end that no witness had told for this leg (DECISIONS 12 b)."""
    end = _of_group(group)
    if life.state not in TALKING or life.post.at.at <= end.at.at:
        return False
    known = [other for other in told if other.state is life.state and other is not life and other.since.at <= end.at.at]
    implied = life.state is State.CONNECTED and any(other.answer for other in told)
    return not known and not implied


def inferred_end(told: Sequence[Testimony], evidence: Iterable[Evidence], until: int) -> End | None:
    """Return the end concluded: the first evidence after the last sign of life, or the timeout (DECISIONS 24 to 26)."""
    living = [testimony for testimony in told if testimony.lives]
    news = max(told, key=lambda testimony: testimony.post.received).post
    last_life = max((testimony.post.at.at for testimony in living), default=news.at.at)
    deadline = news.received + LEG_TIMEOUT_MS
    fits = [
        item
        for item in evidence
        if item.post.at.at > last_life and item.post.received < deadline and _concerns(item, told)
    ]
    if fits:
        return _closed_by(fits)
    if until >= deadline:
        return End(_last_news(told), Source.TIMEOUT)
    return None


def _last_news(told: Sequence[Testimony]) -> Instant:
    """When the last news was posted; what another page load had told just before is none (DECISIONS 18, 26)."""
    firsts = [
        min((other.post.at for other in told if _same_news(testimony, other)), key=lambda instant: instant.at)
        for testimony in told
    ]
    return max(firsts, key=lambda instant: instant.at)


def _same_news(one: Testimony, other: Testimony) -> bool:
    said = (one.witness, one.kind, one.state, one.muted)
    near = abs(one.since.at - other.since.at) <= FLAGS_WITHIN_MS
    return said == (other.witness, other.kind, other.state, other.muted) and near


def _closed_by(fits: Sequence[Evidence]) -> End:
    """The first evidence closes; of those within its grace the best witness gives the instant (DECISIONS 3, 24)."""
    first = min(item.post.at.at for item in fits)
    near = [item for item in fits if item.post.at.at - first <= GRACE_MS]
    best = min(near, key=lambda item: (list(Source).index(item.source), item.post.at.at))
    return End(best.post.at, best.source)


def _concerns(evidence: Evidence, told: Sequence[Testimony]) -> bool:
    """A snapshot speaks of the web-phone dialogs of its own page load alone (DECISIONS 25)."""
    if evidence.dialogs is None:
        return True
    mine = {
        testimony.dialog for testimony in told if testimony.post.session == evidence.post.session and testimony.dialog
    }
    return bool(mine) and not mine & evidence.dialogs
