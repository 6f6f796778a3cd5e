"""From what witnesses say of calls to legs and what is published of them (CONTRACT 6, DECISIONS B to E)."""

from streams.domain.events import Event
from streams.domain.extension import Book, Extension, tab_of
from streams.domain.instants import Instant
from streams.domain.legs import gaps, joins, web_phone
from streams.domain.legs.advance import advance, expire, is_forgettable, suspect
from streams.domain.legs.evidence import Kind, Leg, Sighting
from streams.domain.legs.records import MAX_INPUTS, directory_of, identifier
from streams.domain.legs.tell import Novelty, tell
from streams.domain.outputs import Emission
from streams.domain.postings import Row
from streams.domain.words import EndSource, Outcome, State

MAX_CONSULTATIONS = 20
SKEW_HIGH_MS = 60_000
Decision = tuple[Outcome, list[Emission]]


def take_web_phone(book: Book, event: Event, now: int) -> Decision:
    """Take a post of the rc-call-* family."""
    assert event.web_phone_call is not None
    return take_sighting(book, web_phone.sight(event, event.web_phone_call), event, now)


def take_sighting(book: Book, sighting: Sighting, event: Event, now: int) -> Decision:
    """Find or begin the leg that a witness speaks of, tell it, and publish what changed."""
    tab_of(book.extension, event.session_id, now, implies_login=True)
    leg = joins.find(book, sighting) or _begin(book, sighting, event)
    joins.learn(book, leg, sighting)
    if event.session_id is not None and event.sequence is not None:
        gaps.begin(leg, event.session_id, event.sequence, event.missing_before)
    emissions = _consult(book, leg, sighting, event.input, now)
    novelty = tell(leg, sighting)
    _note(leg, sighting, event)
    if novelty is Novelty.NEWS:
        _news(leg, sighting, event, now)
    emissions += publish(book.extension, leg, event.input, now)
    return Outcome.ACCEPTED if novelty is Novelty.NEWS else Outcome.DUPLICATE, emissions


def _begin(book: Book, sighting: Sighting, event: Event) -> Leg:
    extension = book.extension
    leg = Leg(
        leg_id=identifier(extension.key, joins.names(sighting)[0]),
        extension_key=extension.key,
        direction=sighting.direction,
        directory=directory_of(event),
        handed_over=sighting.dialog in extension.consulted,
    )
    book.add(leg)
    return leg


def _note(leg: Leg, sighting: Sighting, event: Event) -> None:
    """Remember what a post says beside its fact: the other side, the queue, how sure its clock is."""
    if sighting.remote and (leg.remote is None or leg.remote["kind"] == "UNKNOWN"):
        leg.remote = sighting.remote
    leg.queue_call = leg.queue_call or sighting.queue_call
    leg.queue_token = leg.queue_token or sighting.queue_token
    leg.time_uncertainty_ms = max(leg.time_uncertainty_ms, event.time_uncertainty_ms)
    leg.skew_high = leg.skew_high or abs(event.skew_ms or 0) >= SKEW_HIGH_MS


def _news(leg: Leg, sighting: Sighting, event: Event, now: int) -> None:
    leg.last_news = max(leg.last_news, now)
    if leg.last_news_at is None or sighting.at.at > leg.last_news_at.at:
        leg.last_news_at = sighting.at
    if sighting.kind is not Kind.ENDED:
        leg.last_life = max(leg.last_life, sighting.at.at)
    if len(leg.inputs) < MAX_INPUTS:
        leg.inputs.append(event.input)


def _consult(book: Book, leg: Leg, sighting: Sighting, position: Row, now: int) -> list[Emission]:
    """Mark a consultation, and the leg that it names as the one to be handed over."""
    dialog = sighting.warm_transfer_dialog
    if dialog is None:
        return []
    leg.consults = True
    consulted = book.extension.consulted
    if dialog not in consulted:
        consulted.append(dialog)
        del consulted[:-MAX_CONSULTATIONS]
    other = book.named(joins.dialog_name(dialog))
    if other is None or other.handed_over or other is leg:
        return []
    other.handed_over = True
    return publish(book.extension, other, position, now)


def publish(extension: Extension, leg: Leg, position: Row | None, now: int) -> list[Emission]:
    """Publish what changed about a leg, and keep the extension's lists of legs."""
    emissions = advance(leg, position, now)
    _index(extension, leg)
    return emissions


def _index(extension: Extension, leg: Leg) -> None:
    if leg.state is State.ENDED:
        extension.open_legs.pop(leg.leg_id, None)
        if leg.state_since is not None:
            extension.presence.last_end_at = max(extension.presence.last_end_at, leg.state_since.at)
    elif leg.state is not None:
        extension.open_legs[leg.leg_id] = leg.state
    if leg.settle_due is not None and leg.leg_id not in extension.unsettled:
        extension.unsettled.append(leg.leg_id)
    elif leg.settle_due is None and leg.leg_id in extension.unsettled:
        extension.unsettled.remove(leg.leg_id)


def follow_sequence(book: Book, event: Event) -> list[Leg]:
    """Show the event's sequence number to every leg that is not final; return those whose flag GAP changed."""
    extension = book.extension
    changed: list[Leg] = []
    if event.session_id is None or event.sequence is None:
        return changed
    for leg_id in [*extension.open_legs, *extension.unsettled]:
        leg = book.leg(leg_id)
        before = gaps.has_gap(leg)
        gaps.follow(leg, event.session_id, event.sequence, event.missing_before, is_open=leg_id in extension.open_legs)
        if gaps.has_gap(leg) != before:
            changed.append(leg)
    return changed


def suspect_all(book: Book, source: EndSource, at: Instant, now: int) -> None:
    """Take evidence that no leg of this extension is alive any more (DECISIONS 24)."""
    for leg_id in list(book.extension.open_legs):
        suspect(book.leg(leg_id), source, at, now)


def expire_leg(book: Book, leg: Leg, now: int) -> list[Emission]:
    """Let time do to a leg what is due at stream time now."""
    if is_forgettable(leg, now):
        book.forget(leg)
        return []
    emissions = expire(leg, now)
    _index(book.extension, leg)
    return emissions
