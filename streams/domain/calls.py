"""From what witnesses say of calls to legs and what is published of them (CONTRACT 6, DECISIONS B to E)."""

from collections.abc import Iterable

from streams.domain import following
from streams.domain.events import Event, posted_at
from streams.domain.extension import Book, tab_of
from streams.domain.finding import leg_of
from streams.domain.instants import Instant
from streams.domain.legs import active_call, joins, telephony, web_phone
from streams.domain.legs.advance import SETTLE_MS, expire, is_forgettable, is_proven, revive, suspect, unsuspect
from streams.domain.legs.evidence import Closing, Kind, Leg, Sighting
from streams.domain.legs.news import before_of, outcome_of
from streams.domain.legs.records import MAX_INPUTS
from streams.domain.legs.resolve import resolve
from streams.domain.legs.tell import tell
from streams.domain.outputs import Emission
from streams.domain.postings import Row
from streams.domain.publishing import index, publish, unlist
from streams.domain.words import EndSource, Outcome, Witness

MAX_CONSULTATIONS = 20
MAX_SILENCES = 50
MAX_STRAYS = 10
SILENCE_MEMORY_MS = 25 * 3_600_000
SKEW_HIGH_MS = 60_000
Decision = tuple[Outcome, list[Emission]]


def take_web_phone(book: Book, event: Event, now: int) -> Decision:
    """Take a post of the rc-call-* family."""
    assert event.web_phone_call is not None
    return take_sighting(book, web_phone.sight(event, event.web_phone_call), event, now)


def take_active_call(book: Book, event: Event, now: int) -> Decision:
    """Take an active call or a ringout call; an end of a call that nobody knows is no call (DECISIONS 20)."""
    assert event.active_call is not None
    sighting = active_call.sight(event, event.active_call)
    if sighting.kind in (None, Kind.ENDED) and not joins.find(book, sighting):
        tab = tab_of(book.extension, event.session_id, now, logged_in_at=event.event_time)
        if sighting.kind is Kind.ENDED:
            following.begin(tab, event)
            stray = active_call.stray_of(sighting, joins.names(sighting), event.time_uncertainty_ms)
            book.extension.strays = [*book.extension.strays, stray][-MAX_STRAYS:]
        return Outcome.IGNORED, []
    return take_sighting(book, sighting, event, now)


def take_telephony_session(book: Book, event: Event, now: int) -> Decision:
    """Take a telephony session: each own party is a leg. One without own party says nothing of this extension."""
    assert event.telephony_session is not None
    outcomes, emissions = [], list[Emission]()
    for sighting in telephony.sight(event, event.telephony_session):
        if sighting.kind is None and not joins.find(book, sighting):
            continue
        outcome, emitted = take_sighting(book, sighting, event, now)
        outcomes.append(outcome)
        emissions += emitted
    for best in (Outcome.ACCEPTED, Outcome.DUPLICATE):
        if best in outcomes:
            return best, emissions
    return Outcome.IGNORED, emissions


def take_sighting(book: Book, sighting: Sighting, event: Event, now: int) -> Decision:
    """Find or begin the leg that a witness speaks of, tell it, and publish what changed."""
    extension = book.extension
    tab = tab_of(extension, event.session_id, now, logged_in_at=event.event_time)
    leg, emissions = leg_of(book, sighting, event, now)
    joins.learn(book, leg, sighting)
    following.begin(tab, event)
    following.tell(book.extension, leg, sighting, event.event_time)
    emissions += _consult(book, leg, sighting, event.input, now)
    before = before_of(leg)
    _tell_strays(book, leg)
    told = tell(leg, sighting)
    noted = _note(leg, sighting, event.time_uncertainty_ms)
    silent = told.repeated and not (told.added or told.realigned or noted or emissions)
    if silent and leg.inferred is None:
        _live(book, leg, sighting, now)
        return Outcome.DUPLICATE, emissions
    inferred = leg.inferred
    revive(leg, sighting)
    facts = resolve(leg)
    outcome = outcome_of(leg, sighting, told, facts, before)
    if outcome is not Outcome.IGNORED:
        _live(book, leg, sighting, now)
    elif leg.inferred is not inferred:
        # A backlog is no sign of life.
        leg.inferred = inferred
        facts = resolve(leg)
    if outcome is Outcome.ACCEPTED or leg.inferred is not inferred:
        _news(leg, event, now)
    emissions += publish(extension, leg, facts, event.input, now)
    if extension.silences and suspect(leg, extension.silences, now):
        emissions += publish(extension, leg, resolve(leg), event.input, now)
    return outcome, emissions


def _tell_strays(book: Book, leg: Leg) -> None:
    """Tell a leg its ends that were read before anything else was known of it, with all that they say beside."""
    strays = book.extension.strays
    for stray in list(strays):
        if not set(leg.aliases).isdisjoint(stray.names):
            strays.remove(stray)
            end = active_call.end_of(stray)
            joins.learn(book, leg, end)
            following.tell(book.extension, leg, end, end.at.at)
            tell(leg, end)
            _note(leg, end, stray.time_uncertainty_ms)


def _live(book: Book, leg: Leg, sighting: Sighting, now: int) -> None:
    """Take a sign of life: evidence that is older than it closes nothing (DECISIONS 24)."""
    if sighting.kind is Kind.ENDED:
        return
    leg.last_life = max(leg.last_life, sighting.posted.at)
    if leg.closing_due is not None:
        leg.closing_due = None
        suspect(leg, book.extension.silences, now)


def _note(leg: Leg, sighting: Sighting, time_uncertainty_ms: int) -> bool:
    """Remember what a post says beside its fact; return whether that is more than was known."""
    known = (leg.remote, leg.queue_call, leg.queue, leg.time_uncertainty_ms, leg.skew_high, leg.ringout)
    if sighting.remote and (leg.remote is None or leg.remote["kind"] == "UNKNOWN"):
        leg.remote = sighting.remote
    leg.queue_call = leg.queue_call or sighting.queue_call
    leg.queue = leg.queue or sighting.queue
    leg.time_uncertainty_ms = max(leg.time_uncertainty_ms, time_uncertainty_ms)
    leg.skew_high = leg.skew_high or abs(sighting.skew_ms or 0) >= SKEW_HIGH_MS
    leg.ringout = leg.ringout or sighting.ringout
    return known != (leg.remote, leg.queue_call, leg.queue, leg.time_uncertainty_ms, leg.skew_high, leg.ringout)


def _news(leg: Leg, event: Event, now: int) -> None:
    leg.last_news = max(leg.last_news, now)
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
    return publish(book.extension, other, resolve(other), position, now)


def suspect_all(book: Book, source: EndSource, at: Instant, now: int) -> list[Emission]:
    """Take evidence that no leg of this extension is alive any more (DECISIONS 24)."""
    silences = book.extension.silences
    # In time it finds the legs that it may change open or not yet final.
    is_late = now - at.at > SETTLE_MS or any(closing.at.at > at.at for closing in silences)
    silences.append(Closing(source, at))
    oldest = max(closing.at.at for closing in silences) - SILENCE_MEMORY_MS
    book.extension.silences = [closing for closing in silences if closing.at.at >= oldest][-MAX_SILENCES:]
    return _suspect(book, now, is_late=is_late)


def unsuspect_all(book: Book, wrong: list[Closing], now: int) -> list[Emission]:
    """Take evidence back: what it closed is closed by what is left, or lives on."""
    extension = book.extension
    extension.silences = [closing for closing in extension.silences if closing not in wrong]
    emissions: list[Emission] = []
    for leg_id in _concerned(book, extension.ended):
        if book.look(leg_id).inferred in wrong:
            leg = book.leg(leg_id)
            unsuspect(leg, extension.silences)
            emissions += publish(extension, leg, resolve(leg), None, now)
    return emissions


def _suspect(book: Book, now: int, *, is_late: bool = False) -> list[Emission]:
    """Show the extension's evidence to its legs; late evidence may be nearer to the end of one that is final."""
    emissions: list[Emission] = []
    for leg_id in _concerned(book, book.extension.ended if is_late else []):
        if is_proven(book.look(leg_id)):
            continue
        leg = book.leg(leg_id)
        if suspect(leg, book.extension.silences, now):
            emissions += publish(book.extension, leg, resolve(leg), None, now)
    return emissions


def _concerned(book: Book, more: Iterable[str] = ()) -> Iterable[str]:
    """Return the ids of the legs that evidence may close, or close elsewhere."""
    return dict.fromkeys([*book.extension.open_legs, *book.extension.unsettled, *more])


def take_snapshot(book: Book, event: Event, dialogs: frozenset[str], now: int) -> Decision:
    """Take a page load's list of its browser calls: what it lists lives, what it has lost is over (DECISIONS 25)."""
    at = posted_at(event)
    for leg_id in _concerned(book):
        leg = book.leg(leg_id)
        for dialog in leg.dialogs:
            if dialog.witness is not Witness.WEB_PHONE or dialog.session_id != (event.session_id or ""):
                continue
            if dialog.dialog in dialogs:
                leg.last_life = max(leg.last_life, at.at)
            elif dialog.missing is None or dialog.missing.at <= leg.last_life:
                dialog.missing = at
    return Outcome.ACCEPTED, _suspect(book, now)


def expire_leg(book: Book, leg: Leg, now: int) -> list[Emission]:
    """Let time do to a leg what is due at stream time now."""
    if is_forgettable(leg, now):
        book.forget(leg)
        unlist(book.extension, leg)
        return []
    emissions = expire(leg, book.extension.silences, now)
    index(book.extension, leg)
    return emissions
