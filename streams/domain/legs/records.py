"""The Avro rows of a leg: call events, the active call, the call record (CONTRACT 6, DECISIONS 40)."""

import hashlib

from streams.domain.events import Event
from streams.domain.instants import Instant, between
from streams.domain.legs import outcome
from streams.domain.legs.evidence import Leg
from streams.domain.legs.facts import Facts, total_of
from streams.domain.legs.gaps import has_gap
from streams.domain.legs.ranks import INFERRED, RANK
from streams.domain.postings import Row
from streams.domain.words import CallEventType, Quality, RevisionReason, State, Witness

RULES_VERSION = "4"
"""Raised with every change of what the same evidence means; stands in each record."""
MAX_INPUTS = 50
QUALITIES = tuple(Quality)
NO_DIRECTORY: Row = {"team": None, "site": None, "queues": [], "time_zone": None, "directory_version": None}


def identifier(*parts: str) -> str:
    """Return a deterministic id of 32 hex digits made of the parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def directory_of(event: Event) -> Row:
    """Return what the directory said when the event was admitted; a leg keeps that of its first (DECISIONS 47)."""
    return {
        "account_id": event.account_id,
        "extension_id": event.extension_id,
        "team": event.team,
        "site": event.site,
        "queues": event.queues,
        "time_zone": event.time_zone,
        "directory_version": event.directory_version,
    }


def witnesses(leg: Leg) -> list[Witness]:
    """Return who told of the leg, by rank."""
    told = {dialog.witness for dialog in leg.dialogs}
    return [witness for witness in RANK if witness in told]


def call_event(
    leg: Leg, word: CallEventType, at: Instant, before: State | None, after: State, position: Row | None
) -> Row:
    """Return a CallEvent row; `position` is None where time, not a post, made the change."""
    leg.events += 1
    if word not in leg.told:
        leg.told.append(word)
    since = leg.muted_since if word is CallEventType.UNMUTED else leg.state_since
    return {
        "event_id": identifier(leg.leg_id, str(leg.events), word),
        "event_time": at.at,
        "time_uncertainty_ms": leg.time_uncertainty_ms,
        "extension_key": leg.extension_key,
        "leg_id": leg.leg_id,
        "call_id": leg.telephony_session_id,
        "type": word,
        "state_before": before,
        "state_after": after,
        "state_before_ms": between(since, at) if since is not None and before is not None else None,
        "direction": leg.direction,
        "remote": leg.remote,
        "witnesses": witnesses(leg),
        "tabs": len(leg.sessions),
        "input": position,
        "team": leg.directory["team"],
        "site": leg.directory["site"],
        "queues": leg.directory["queues"],
    }


def active_call(leg: Leg, facts: Facts) -> Row:
    """Return the ActiveCall row of an open leg, without `updated_at`."""
    begun = facts.ring or facts.answer or facts.since
    return {
        "leg_id": leg.leg_id,
        "call_id": leg.telephony_session_id,
        "extension_key": leg.extension_key,
        "direction": leg.direction,
        "state": facts.state,
        "state_since": facts.since.at if facts.since else None,
        "initiated_at": begun.at if begun else None,
        "answered_at": facts.answer.at if facts.answer else None,
        "muted": facts.muted,
        "queue_call": leg.queue_call,
        "remote": leg.remote,
        "witnesses": witnesses(leg),
        "tabs": len(leg.sessions),
        "team": leg.directory["team"],
        "site": leg.directory["site"],
        "queues": leg.directory["queues"],
    }


def outline(leg: Leg, facts: Facts) -> str:
    """Return a text that changes whenever the ActiveCall row does."""
    since, ring, answer = facts.since, facts.ring, facts.answer
    return (
        f"{facts.state}|{since.at if since else ''}|{ring.at if ring else ''}|{answer.at if answer else ''}"
        f"|{facts.muted}|{leg.queue_call}|{leg.telephony_session_id}|{len(leg.sessions)}|{len(leg.dialogs)}"
        f"|{leg.remote}|{leg.direction}"
    )


def call_record(leg: Leg, facts: Facts) -> Row:
    """Return the CallRecord row of an ended leg, without what a revision adds.

    The inputs are added there too: a repetition is one more input, but no news.
    """
    assert facts.end is not None
    begun = facts.ring or facts.answer or facts.end
    return {
        "leg_id": leg.leg_id,
        "call_id": leg.telephony_session_id,
        "session_ids": sorted(leg.session_ids),
        "extension_key": leg.extension_key,
        **leg.directory,
        "direction": leg.direction,
        "calling_mode": leg.calling_mode,
        "queue_call": leg.queue_call,
        "queue": leg.queue,
        "remote": leg.remote,
        "rules_version": RULES_VERSION,
        "initiated_at": begun.at,
        "answered_at": facts.answer.at if facts.answer else None,
        "first_held_at": facts.held[0][0].at if facts.held else None,
        "ended_at": facts.end.at,
        **durations(facts, begun, facts.end),
        "wrapup_ms": None,
        "time_uncertainty_ms": leg.time_uncertainty_ms,
        "disposition": outcome.disposition(leg, facts),
        "ended_by": outcome.ended_by(leg, facts),
        "transfer": outcome.transfer(leg, facts),
        "end_reason": outcome.end_reason(leg, facts),
        "end_source": facts.end_source,
        "witnesses": witnesses(leg),
        "tabs": len(leg.sessions),
    }


def durations(facts: Facts, begun: Instant, end: Instant) -> Row:
    """Return every duration of CONTRACT 6 in milliseconds: none negative, none counted twice."""
    holds, parks, mutes = total_of(facts.held, end), total_of(facts.parked, end), total_of(facts.mutes, end)
    ring = between(facts.ring, facts.answer or end) if facts.ring else None
    held, parked = sum(holds), sum(parks)
    talk = max(0, between(facts.answer, end) - held - parked) if facts.answer else 0
    return {
        "ring_ms": ring,
        "talk_ms": talk,
        "hold_ms": held,
        "hold_count": len(holds),
        "longest_hold_ms": max(holds, default=0),
        "park_ms": parked,
        "mute_ms": sum(mutes),
        "mute_count": len(mutes),
        "handle_ms": talk + held,
        "total_ms": max(between(begun, end), (ring or 0) + talk + held + parked),
    }


def quality(leg: Leg, facts: Facts) -> list[Quality]:
    """Return the quality flags of a record."""
    # In the order of the enum.
    flags = (
        has_gap(leg, facts.end),
        leg.skew_high,
        facts.end_source in INFERRED,
        facts.answer_inferred,
        facts.duplicate_tabs,
        leg.late_amended,
        leg.merged,
        facts.started_while_ringing,
    )
    return [flag for flag, on in zip(QUALITIES, flags, strict=True) if on]


def fingerprint(row: Row) -> str:
    """Return a short digest of a row, equal for equal rows on every machine."""
    return hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest()


def revision(leg: Leg, content: Row, reason: RevisionReason) -> Row:
    """Return the next revision of a record and count it."""
    leg.revision += 1
    return {
        **content,
        "input_refs": list(leg.inputs),
        "revision": leg.revision,
        "is_final": leg.is_final,
        "revision_reason": reason,
    }
