"""Bring what was published of a leg up to its evidence: call events, the active call, revisions of the record.

Sources: CONTRACT 6, DECISIONS 12 to 15, 24 to 28.
"""

from collections.abc import Iterator, Sequence

from streams.domain.instants import Instant
from streams.domain.legs import outcome, records
from streams.domain.legs.ends import read_answers
from streams.domain.legs.evidence import Closing, Kind, Leg, Sighting
from streams.domain.legs.facts import Facts
from streams.domain.legs.news import last_told
from streams.domain.legs.ranks import INFERRED, SAME_MS
from streams.domain.legs.resolve import resolve
from streams.domain.legs.transitions import FIRST_TOLD, TRANSITIONS
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Row
from streams.domain.words import CallEventType, Direction, EndSource, RevisionReason, State, Witness

GRACE_MS = 5_000
SETTLE_MS = 30_000
LEG_TIMEOUT_MS = 4 * 3_600_000
MEMORY_MS = 25 * 3_600_000


def advance(leg: Leg, facts: Facts, position: Row | None, now: int) -> list[Emission]:
    """Publish what changed.

    Args:
        leg: The leg, its evidence already told.
        facts: What `resolve` reads off that evidence.
        position: Where the post stands that made the change; None when time made it.
        now: Stream time.
    """
    emissions: list[Emission] = []
    if facts.state is not leg.state or facts.muted != leg.muted or facts.flipped is not None:
        emissions += [Emission(Output.CALL_EVENT, leg.extension_key, row) for row in _events(leg, facts, position)]
    leg.muted, leg.muted_since = facts.muted, facts.muted_since
    if facts.end is None:
        leg.late_amended = leg.late_amended or leg.is_final
        leg.settle_due, leg.is_final = None, False
        return emissions + _show(leg, facts, now)
    leg.closing_due = None
    if leg.state_since is not None:
        leg.end_moved_ms = facts.end.at - leg.state_since.at
    return emissions + _hide(leg) + _revise(leg, facts, now)


def _events(leg: Leg, facts: Facts, position: Row | None) -> Iterator[Row]:
    before, after, since = leg.state, facts.state, facts.since
    if facts.flipped is not None and before not in (None, State.ENDED):
        yield from _transferred(leg, facts.flipped, position)
    # A pair that is not in the table is evidence that went away: nothing happened.
    if after is not None and since is not None and after != before and (before, after) in TRANSITIONS:
        word = TRANSITIONS[before, after]
        if word is CallEventType.ENDED and outcome.transfer(leg, facts) in outcome.HANDED_ON:
            yield from _transferred(leg, since, position)
        if word is CallEventType.REOPENED:
            yield from _reopened(leg, since, after, position)
        else:
            yield records.call_event(leg, word, since, before, after, position)
        leg.state, leg.state_since = after, since
    if facts.muted != leg.muted and facts.end is None:
        yield _mute_event(leg, facts, position)


def _transferred(leg: Leg, at: Instant, position: Row | None) -> Iterator[Row]:
    """Tell once that the leg was handed on."""
    if CallEventType.TRANSFERRED not in leg.told and leg.state is not None:
        yield records.call_event(leg, CallEventType.TRANSFERRED, at, leg.state, leg.state, position)


def _reopened(leg: Leg, since: Instant, after: State, position: Row | None) -> Iterator[Row]:
    first = FIRST_TOLD.get(after)
    if first is None or first in leg.told:
        yield records.call_event(leg, CallEventType.REOPENED, since, State.ENDED, after, position)
        return
    waiting = State.DIALING if leg.direction is Direction.OUTBOUND else State.RINGING
    yield records.call_event(leg, CallEventType.REOPENED, since, State.ENDED, waiting, position)
    leg.state, leg.state_since = waiting, since
    yield records.call_event(leg, first, since, waiting, after, position)


def _mute_event(leg: Leg, facts: Facts, position: Row | None) -> Row:
    word = CallEventType.MUTED if facts.muted else CallEventType.UNMUTED
    at = facts.muted_since or (facts.mutes[-1][1] if facts.mutes else None) or facts.since or leg.state_since
    assert at is not None
    assert leg.state is not None
    return records.call_event(leg, word, at, leg.state, leg.state, position)


def _show(leg: Leg, facts: Facts, now: int) -> list[Emission]:
    shown = records.outline(leg, facts)
    if shown == leg.shown:
        return []
    leg.shown = shown
    return [Emission(Output.ACTIVE_CALL, leg.leg_id, {**records.active_call(leg, facts), "updated_at": now})]


def _hide(leg: Leg) -> list[Emission]:
    if not leg.shown:
        return []
    leg.shown = ""
    return [Emission(Output.ACTIVE_CALL, leg.leg_id, None)]


def _revise(leg: Leg, facts: Facts, now: int) -> list[Emission]:
    """Write the record if its content changed; a record that had been final says so from then on."""
    content = _content(leg, facts)
    # Most posts change nothing in it: to compare costs less than to take the fingerprint.
    published = leg.published if content == leg.record else records.fingerprint(content)
    leg.record = content
    if published == leg.published:
        if not leg.is_final and leg.settle_due is None:
            # It lived on and ended as it had: the record that is out becomes final anew.
            leg.settle_due = now + SETTLE_MS
        return []
    if leg.is_final:
        leg.late_amended = True
        leg.record = content = _content(leg, facts)
        published = records.fingerprint(content)
    reason = RevisionReason.AMENDED if leg.revision else RevisionReason.ENDED
    leg.published, leg.is_final, leg.settle_due = published, False, now + SETTLE_MS
    return [Emission(Output.CALL_RECORD, leg.leg_id, records.revision(leg, content, reason))]


def _content(leg: Leg, facts: Facts) -> Row:
    content = records.call_record(leg, facts)
    content["quality"] = records.quality(leg, facts)
    return content


def settle(leg: Leg) -> list[Emission]:
    """Call the record final: no news came for SETTLE_MS."""
    leg.is_final, leg.settle_due = True, None
    content = _content(leg, resolve(leg))
    return [Emission(Output.CALL_RECORD, leg.leg_id, records.revision(leg, content, RevisionReason.FINAL))]


def suspect(leg: Leg, silences: Sequence[Closing], now: int) -> bool:
    """Let evidence that no call is left start its grace (DECISIONS 24); return whether the end of a leg changed."""
    if is_proven(leg):
        return False
    if leg.state is not State.ENDED:
        if leg.closing_due is None and _silence(leg, silences) is not None:
            leg.closing_due = now + GRACE_MS
        return False
    assert leg.inferred is not None
    better = _silence(leg, [*silences, leg.inferred])
    if better is None or better == leg.inferred:
        return False
    leg.inferred = better
    return True


def is_proven(leg: Leg) -> bool:
    """Tell whether evidence that no call is left changes nothing: the leg is none yet, or its end needs no guess."""
    if leg.state is not State.ENDED:
        return leg.state is None
    return leg.inferred is None or leg.inferred.source is EndSource.TIMEOUT


def unsuspect(leg: Leg, silences: Sequence[Closing]) -> None:
    """Close a leg by what is left of the evidence that had closed it; by none, it lives on."""
    leg.inferred = _silence(leg, silences)


def _silence(leg: Leg, silences: Sequence[Closing]) -> Closing | None:
    """Return the evidence that closes the leg: the earliest after its last life, of those near it the best."""
    last = leg.last_life
    heard = [closing for closing in (*silences, *_missing(leg)) if closing.at.at > last]
    if not heard:
        return None
    first = min(closing.at.at for closing in heard)
    near = [closing for closing in heard if closing.at.at <= first + SAME_MS]
    return min(near, key=lambda closing: (INFERRED.index(closing.source), closing.at))


def _missing(leg: Leg) -> list[Closing]:
    """Return the snapshots that had lost a dialog whose end would be the leg's (DECISIONS 11, 25)."""
    missing = [dialog for dialog in leg.dialogs if dialog.missing is not None]
    if not missing:
        return []
    answered = read_answers(leg).by
    ended = {post.dialog for post in leg.posts if post.kind is Kind.ENDED}
    found = []
    for index, dialog in enumerate(leg.dialogs):
        is_out = index in ended or (bool(answered) and index not in answered)
        if dialog.missing is not None and dialog.witness is Witness.WEB_PHONE and not is_out:
            found.append(Closing(EndSource.SNAPSHOT, dialog.missing))
    return found


def revive(leg: Leg, sighting: Sighting) -> None:
    """Let a later sign of life take back an end that nobody posted (DECISIONS 12c)."""
    if sighting.kind is not Kind.ENDED and leg.inferred is not None and sighting.posted.at > leg.inferred.at.at:
        leg.inferred = None


def expire(leg: Leg, silences: Sequence[Closing], now: int) -> list[Emission]:
    """Let time do what is due at stream time now: the end of a grace, a timeout, a settled record."""
    if leg.closing_due is not None and leg.closing_due <= now:
        leg.closing_due, leg.inferred = None, _silence(leg, silences) or leg.inferred
        return advance(leg, resolve(leg), None, now)
    if leg.state is not State.ENDED and leg.last_news + LEG_TIMEOUT_MS <= now:
        last = last_told(leg, resolve(leg)) or leg.state_since
        assert last is not None
        leg.inferred = Closing(EndSource.TIMEOUT, last)
        return advance(leg, resolve(leg), None, now)
    if leg.settle_due is not None and leg.settle_due <= now:
        return settle(leg)
    return []


def next_due(leg: Leg) -> int:
    """Return the stream time at which the leg needs attention, if nothing happens before."""
    if leg.state is not State.ENDED:
        timeout = leg.last_news + LEG_TIMEOUT_MS
        return min(timeout, leg.closing_due) if leg.closing_due is not None else timeout
    return leg.settle_due if leg.settle_due is not None else leg.last_news + MEMORY_MS


def is_forgettable(leg: Leg, now: int) -> bool:
    """Tell whether nothing that may still be accepted can change the leg."""
    return leg.state is State.ENDED and leg.settle_due is None and leg.last_news + MEMORY_MS <= now


def withdraw(leg: Leg) -> list[Emission]:
    """Take back what was published of a leg that proved to be another one (DECISIONS 10)."""
    emissions = _hide(leg)
    if leg.revision:
        emissions.append(Emission(Output.CALL_RECORD, leg.leg_id, None))
    return emissions
