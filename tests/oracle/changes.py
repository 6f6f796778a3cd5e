"""Holds, parks and mutes: changes told by several tabs and witnesses, each counted once (DECISIONS 14 to 18)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tests.oracle.posts import Instant, between
from tests.oracle.testimony import TALKING, State, Testimony, Witness

SAME_MS = 5_000


@dataclass(frozen=True)
class Change:
    """The leg, or its microphone, goes over into `word`."""

    word: Enum
    at: Instant
    resume: bool = False
    """The browser says that a hold ended, though it may have told none."""


class Microphone(Enum):
    """Mute is a flag beside the state (DECISIONS 15)."""

    MUTED = "muted"
    OPEN = "open"


@dataclass(frozen=True)
class Span:
    """From one instant to another; `last` is null while it lasts."""

    first: Instant
    last: Instant | None


Reader = Callable[[Sequence[Testimony]], list[Change]]


def talk_changes(told: Sequence[Testimony]) -> list[Change]:
    """Return the changes between talk, hold and park, as the best witness of each told them (DECISIONS 17)."""
    return _merged(told, _states_of_one)


def mute_changes(told: Sequence[Testimony]) -> list[Change]:
    """Return the changes of the microphone (DECISIONS 15)."""
    return _merged(told, _mutes_of_one)


def spans(changes: Iterable[Change], on: Enum, until: Instant) -> list[Span]:
    """Return the spans of a state; one that is still open ends with the leg (CONTRACT 6), none reaches beyond it."""
    found: list[Span] = []
    open_since: Instant | None = None
    for change in sorted(changes, key=lambda change: change.at.at):
        if change.at.at > until.at:
            break
        if change.word is on:
            open_since = open_since or change.at
        elif open_since is not None:
            found.append(Span(open_since, change.at))
            open_since = None
    return [*found, Span(open_since, until)] if open_since is not None else found


def length(span: Span) -> int:
    """Return how long a closed span lasted."""
    return between(span.first, span.last) if span.last is not None else 0


def _merged(told: Sequence[Testimony], read: Reader) -> list[Change]:
    """Tabs of one witness are merged first, then the witnesses in order of rank; a page load tells nothing twice."""
    by_rank: dict[int, dict[str, list[Testimony]]] = defaultdict(lambda: defaultdict(list))
    for testimony in told:
        name = testimony.post.session
        # NB: ringout and active call of one page load repeat each other: two tellers of one rank.
        by_rank[testimony.witness.rank][f"{name}/{testimony.witness.value}"].append(testimony)
    merged: list[Change] = []
    for rank in sorted(by_rank):
        of_rank: list[Change] = []
        for teller in sorted(by_rank[rank], key=lambda teller: by_rank[rank][teller][0].post.at.at):
            posts = sorted(by_rank[rank][teller], key=lambda testimony: testimony.post.place)
            of_rank = _match(of_rank, read(posts), earlier_wins=True)
        merged = _match(merged, of_rank, earlier_wins=False)
    return merged


def _match(known: list[Change], told: list[Change], *, earlier_wins: bool) -> list[Change]:
    """Match two tellings one to one, in order, within 5 s (DECISIONS 17, 18); the rest is added if it is a change."""
    if not known:
        return sorted(told, key=lambda change: change.at.at)
    pairs = _align(known, told)
    result = list(known)
    for i, j in pairs:
        if earlier_wins and told[j].at.at < known[i].at.at:
            result[i] = replace(known[i], at=told[j].at)
    matched = {j for _, j in pairs}
    for j, change in enumerate(told):
        if j not in matched and _is_news(result, change):
            result.append(change)
            result.sort(key=lambda change: change.at.at)
    return result


def _is_news(known: Sequence[Change], change: Change) -> bool:
    """A status that the leg already has is told again by a stale tab (DECISIONS 18, 20)."""
    before = [other for other in known if other.at.at <= change.at.at]
    return change.resume or not before or before[-1].word is not change.word


def _align(known: Sequence[Change], told: Sequence[Change]) -> list[tuple[int, int]]:
    """Return the pairs of the in-order matching with most pairs, among these the one with the least distance."""
    rows, columns = len(known), len(told)
    best: list[list[tuple[int, int]]] = [[(0, 0)] * (columns + 1) for _ in range(rows + 1)]
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            best[i][j] = max(best[i - 1][j], best[i][j - 1])
            if _same(known[i - 1], told[j - 1]):
                pairs, distance = best[i - 1][j - 1]
                best[i][j] = max(best[i][j], (pairs + 1, distance - abs(known[i - 1].at.at - told[j - 1].at.at)))
    return _walk_back(best, known, told)


def _walk_back(
    best: list[list[tuple[int, int]]], known: Sequence[Change], told: Sequence[Change]
) -> list[tuple[int, int]]:
    pairs = []
    i, j = len(known), len(told)
    while i and j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        elif best[i][j] == best[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs


def _same(one: Change, other: Change) -> bool:
    return one.word is other.word and abs(one.at.at - other.at.at) <= SAME_MS


def _states_of_one(posts: Sequence[Testimony]) -> list[Change]:
    """One page load's changes: its consecutive equal statuses are one, but the browser posts changes only.

    Its resume tells of a hold; its hold after a hold, of one whose resume was lost: others may tell that one.
    """
    changes: list[Change] = []
    for testimony in posts:
        if testimony.state not in TALKING:
            continue
        explicit = testimony.kind in ("hold", "resume")
        if not changes or changes[-1].word is not testimony.state or explicit:
            changes.append(Change(testimony.state, testimony.since, testimony.kind == "resume"))
    return changes


def _mutes_of_one(posts: Sequence[Testimony]) -> list[Change]:
    """The web phone tells each change; a telephony session tells the state with every post."""
    changes: list[Change] = []
    # NB: a web phone posts changes only, so its first post is one; a telephony session begins with an open microphone.
    explicit = bool(posts) and posts[0].witness is Witness.WEB_PHONE
    state = None if explicit else Microphone.OPEN
    for testimony in posts:
        if testimony.muted is None or testimony.state is State.ENDED:
            continue
        word = Microphone.MUTED if testimony.muted else Microphone.OPEN
        if word is not state or explicit:
            changes.append(Change(word, testimony.post.at))
            state = word
    return changes
