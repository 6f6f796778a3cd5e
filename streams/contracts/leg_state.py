"""Saved state of legs: JSON rows by position, written and read without a model (DECISIONS 51).

A leg is written with nearly every event and is the largest thing that is remembered. What is seldom told stands in a
row of its own near the end, which is 0 as long as nothing of it was told; ids of page loads and the names of topics,
which a leg repeats dozens of times, stand once in front, and everything else names them by their place.
"""

from typing import Any

from streams.contracts.state_words import Document, Numbers, by_value, instant_row, read_instant
from streams.domain.legs.evidence import Closing, Dialog, Hint, Hole, Kind, Leg, Post, Span
from streams.domain.words import CallEventType, Direction, EndSource, State, Witness

DIRECTIONS = by_value(Direction)
WITNESSES = by_value(Witness)
STATES = by_value(State)
CALL_EVENT_TYPES = by_value(CallEventType)
_KINDS = by_value(Kind)
_HINTS = by_value(Hint)
_SOURCES = by_value(EndSource)


def leg_document(leg: Leg) -> Document:
    """Return a leg as JSON."""
    numbers: Numbers = {"": 0}
    dialogs = [_dialog_row(dialog, numbers) for dialog in leg.dialogs]
    posts = [_post_row(post, numbers) for post in leg.posts]
    state_since = instant_row(leg.state_since, numbers)
    seldom = [
        leg.calling_mode,
        leg.guessed,
        leg.queue_call,
        leg.queue,
        leg.ringout,
        leg.paired,
        leg.handed_over,
        leg.consults,
        leg.merged,
        leg.skew_high,
        leg.closing_due,
        None if leg.inferred is None else closing_row(leg.inferred, numbers),
        leg.muted,
        instant_row(leg.muted_since, numbers),
        leg.late_amended,
    ]
    row = [
        leg.leg_id,
        leg.extension_key,
        leg.direction,
        leg.telephony_session_id,
        leg.session_ids,
        dialogs,
        posts,
        [(numbers.setdefault(session, len(numbers)), skew) for session, skew in leg.skews.items()],
        [numbers.setdefault(session, len(numbers)) for session in leg.sessions],
        [span_row(session, span, numbers) for session, span in leg.spans.items()],
        [_input_row(position, numbers) for position in leg.inputs],
        leg.remote,
        leg.time_uncertainty_ms,
        leg.directory,
        leg.last_life,
        leg.last_news,
        leg.state,
        state_since,
        leg.told,
        leg.events,
        leg.revision,
        leg.published,
        leg.shown,
        leg.is_final,
        leg.settle_due,
        leg.aliases,
        0 if seldom == _NO_SELDOM else seldom,
        leg.end_moved_ms,
    ]
    return [list(numbers), row]


_NO_SELDOM: Document = [None, [], False, None, False, False, False, False, False, False, None, None, False, 0, False]


def read_leg(document: Document) -> Leg:
    """Return a leg."""
    words, row = document
    (
        leg_id,
        extension_key,
        direction,
        telephony_session_id,
        session_ids,
        dialogs,
        posts,
        skews,
        sessions,
        spans,
        inputs,
        remote,
        time_uncertainty_ms,
        directory,
        last_life,
        last_news,
        state,
        state_since,
        told,
        events,
        revision,
        published,
        shown,
        is_final,
        settle_due,
        aliases,
        seldom,
        end_moved_ms,
    ) = row
    leg = Leg(
        leg_id=leg_id,
        extension_key=extension_key,
        direction=DIRECTIONS[direction],
        telephony_session_id=telephony_session_id,
        session_ids=session_ids,
        dialogs=[_read_dialog(dialog, words) for dialog in dialogs],
        posts=[_read_post(post, words) for post in posts],
        skews={words[session]: skew for session, skew in skews},
        sessions=[words[session] for session in sessions],
        spans={words[span[0]]: read_span(span) for span in spans},
        inputs=[_read_input(position, words) for position in inputs],
        remote=remote,
        time_uncertainty_ms=time_uncertainty_ms,
        directory=directory,
        last_life=last_life,
        last_news=last_news,
        state=None if state is None else STATES[state],
        state_since=read_instant(state_since, words),
        end_moved_ms=end_moved_ms,
        told=[CALL_EVENT_TYPES[word] for word in told],
        events=events,
        revision=revision,
        published=published,
        shown=shown,
        is_final=is_final,
        settle_due=settle_due,
        aliases=aliases,
    )
    if seldom:
        _read_seldom(leg, seldom, words)
    return leg


def _read_seldom(leg: Leg, seldom: Document, words: list[str]) -> None:
    (
        leg.calling_mode,
        leg.guessed,
        leg.queue_call,
        leg.queue,
        leg.ringout,
        leg.paired,
        leg.handed_over,
        leg.consults,
        leg.merged,
        leg.skew_high,
        leg.closing_due,
        inferred,
        leg.muted,
        muted_since,
        leg.late_amended,
    ) = seldom
    leg.inferred = None if inferred is None else read_closing(inferred, words)
    leg.muted_since = read_instant(muted_since, words)


def _dialog_row(dialog: Dialog, numbers: Numbers) -> Document:
    seldom = [
        dialog.own_phone,
        dialog.other_rang,
        instant_row(dialog.other_answer, numbers),
        dialog.muted,
        dialog.lost_before,
        instant_row(dialog.missing, numbers),
        dialog.stale_at,
    ]
    return [
        dialog.witness,
        numbers.setdefault(dialog.session_id, len(numbers)),
        dialog.dialog,
        instant_row(dialog.ring, numbers),
        instant_row(dialog.begun, numbers),
        instant_row(dialog.answer, numbers),
        instant_row(dialog.end_answer, numbers),
        dialog.word,
        dialog.latest,
        0 if seldom == _NO_SELDOM_OF_DIALOG else seldom,
    ]


_NO_SELDOM_OF_DIALOG: Document = [False, False, 0, False, 0, 0, None]


def _read_dialog(row: Document, words: list[str]) -> Dialog:
    witness, session, name, ring, begun, answer, end_answer, word, latest, seldom = row
    own_phone, other_rang, other_answer, muted, lost_before, missing, stale_at = seldom or _NO_SELDOM_OF_DIALOG
    return Dialog(
        witness=WITNESSES[witness],
        session_id=words[session],
        dialog=name,
        own_phone=own_phone,
        ring=read_instant(ring, words),
        begun=read_instant(begun, words),
        answer=read_instant(answer, words),
        end_answer=read_instant(end_answer, words),
        other_rang=other_rang,
        other_answer=read_instant(other_answer, words),
        word=word,
        muted=muted,
        latest=latest,
        lost_before=lost_before,
        missing=read_instant(missing, words),
        stale_at=stale_at,
    )


def _post_row(post: Post, numbers: Numbers) -> Document:
    """Return a post as JSON; its order is told as the milliseconds after `at`."""
    at = post.at
    is_plain = not post.hints and post.code is None and post.reason is None and not (post.handed_on or post.after_loss)
    return [
        post.kind,
        instant_row(at, numbers),
        instant_row(post.posted, numbers),
        post.dialog,
        post.order - at.at,
        post.sequence,
        0 if is_plain else [post.hints, post.code, post.reason, post.handed_on, post.after_loss],
    ]


def _read_post(row: Document, words: list[str]) -> Post:
    kind, at_row, posted_row, dialog, later, sequence, seldom = row
    at, posted = read_instant(at_row, words), read_instant(posted_row, words)
    if at is None or posted is None:
        raise ValueError("a post without its instants")
    post = Post(_KINDS[kind], at, posted, dialog, at.at + later, sequence)
    if seldom:
        hints, post.code, post.reason, post.handed_on, post.after_loss = seldom
        post.hints = [_HINTS[hint] for hint in hints]
    return post


def span_row(session: str, span: Span, numbers: Numbers) -> Document:
    """Return the sequence numbers of a page load as JSON."""
    number = numbers.setdefault(session, len(numbers))
    holes = [(hole.shown_by, hole.at, hole.missing) for hole in span.holes]
    return [number, span.first, span.missing_at_first, span.last, holes]


def read_span(row: Document) -> Span:
    """Return the sequence numbers of a page load."""
    _, first, missing_at_first, last, holes = row
    return Span(first, missing_at_first, last, [Hole(*hole) for hole in holes])


def _input_row(position: dict[str, Any], numbers: Numbers) -> Document:
    return [numbers.setdefault(position["topic"], len(numbers)), position["partition"], position["offset"]]


def _read_input(row: Document, words: list[str]) -> dict[str, object]:
    topic, partition, offset = row
    return {"topic": words[topic], "partition": partition, "offset": offset}


def closing_row(closing: Closing, numbers: Numbers) -> Document:
    """Return evidence of an end as JSON."""
    return [closing.source, instant_row(closing.at, numbers)]


def read_closing(row: Document, words: list[str]) -> Closing:
    """Return evidence of an end."""
    source, at_row = row
    at = read_instant(at_row, words)
    if at is None:
        raise ValueError("a closing without its instant")
    return Closing(_SOURCES[source], at)
