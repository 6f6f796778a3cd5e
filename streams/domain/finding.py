"""The leg of a sighting: found by name, by number and time, as half of a RingOut, or begun (DECISIONS 8 to 10)."""

from collections.abc import Iterator

from streams.domain.events import Event
from streams.domain.extension import Book, Extension
from streams.domain.legs import joins
from streams.domain.legs.advance import withdraw
from streams.domain.legs.evidence import Leg, Sighting
from streams.domain.legs.merge import absorb, add, take_out
from streams.domain.legs.records import directory_of, identifier
from streams.domain.legs.resolve import resolve
from streams.domain.legs.tell import dialog_of
from streams.domain.outputs import Emission
from streams.domain.publishing import index, publish, unlist
from streams.domain.words import Direction, Witness

Found = tuple[Leg, list[Emission]]


def leg_of(book: Book, sighting: Sighting, event: Event, now: int) -> Found:
    """Return the leg that a sighting speaks of, and what finding it changed."""
    found = joins.find(book, sighting)
    if not found:
        return _guessed(book, sighting, event)
    wrong = _misjoined(found, sighting)
    if wrong is not None:
        return _moved(book, wrong, found, sighting, event, now)
    if len(found) == 1:
        return found[0], []
    return _merged(book, found)


def _guessed(book: Book, sighting: Sighting, event: Event) -> Found:
    """Find a leg that has no name in common with the sighting, or begin one."""
    other = joins.ringout_pair(book, sighting)
    if other is not None and other.direction is Direction.OUTBOUND:
        other.paired = True
        return other, []
    if other is not None:
        leg = begin(book, sighting, event)
        leg.paired = True
        return leg, _absorb(book, leg, other, own_phone=True)
    found = joins.by_number(_recent(book, sighting), sighting)
    if found is None:
        return begin(book, sighting, event), []
    known = book.leg(found.leg_id)
    browser = [dialog.dialog for dialog in known.dialogs if dialog.witness is Witness.WEB_PHONE]
    known.guessed += [sighting.dialog] if sighting.witness is Witness.WEB_PHONE else browser
    return known, []


def _recent(book: Book, sighting: Sighting) -> Iterator[Leg]:
    """Give the legs to be looked at, in which a sighting without names may be at home: not those of another time."""
    extension = book.extension
    for leg_id in extension.open_legs:
        yield book.look(leg_id)
    for leg_id, begun in extension.ended.items():
        if leg_id not in extension.open_legs and (begun is None or joins.is_near(begun, sighting)):
            yield book.look(leg_id)


def begin(book: Book, sighting: Sighting, event: Event) -> Leg:
    """Begin a leg; its id is made of the best name known now (DECISIONS 10)."""
    extension = book.extension
    names = joins.names(sighting)
    leg = Leg(
        leg_id=identifier(extension.key, names[0] if names else sighting.dialog),
        extension_key=extension.key,
        direction=sighting.direction,
        directory=directory_of(event),
        calling_mode=_calling_mode(extension, event),
        handed_over=sighting.witness is Witness.WEB_PHONE and sighting.dialog in extension.consulted,
    )
    book.add(leg)
    return leg


def _calling_mode(extension: Extension, event: Event) -> str | None:
    tab = extension.tabs.get(event.session_id or "")
    return (tab.calling_mode if tab else None) or extension.calling_mode


def _misjoined(found: list[Leg], sighting: Sighting) -> Leg | None:
    """Return the leg that a dialog was joined to by number, when its ids now say otherwise (DECISIONS 9)."""
    if sighting.witness is not Witness.WEB_PHONE or sighting.telephony_session_id is None:
        return None
    for leg in found:
        dialog = dialog_of(leg, sighting)
        is_other = leg.telephony_session_id not in (None, sighting.telephony_session_id)
        if dialog is not None and is_other and dialog.dialog in leg.guessed:
            return leg
    return None


def _moved(book: Book, wrong: Leg, found: list[Leg], sighting: Sighting, event: Event, now: int) -> Found:
    """Move the dialog out of the wrong leg into the right one."""
    dialog = dialog_of(wrong, sighting)
    assert dialog is not None
    posts = take_out(wrong, dialog)
    wrong.guessed.remove(dialog.dialog)
    name = joins.dialog_name(sighting.dialog)
    if name in wrong.aliases:
        wrong.aliases.remove(name)
    right = next((leg for leg in found if leg is not wrong), None)
    if right is None:
        right = begin(book, sighting, event)
    add(right, [dialog], posts)
    right.aliases.append(name)
    book.name(name, right)
    return right, publish(book.extension, wrong, resolve(wrong), None, now)


def _merged(book: Book, found: list[Leg]) -> Found:
    """Make one leg of those that the sighting proves to be one; the one with the telephony id stays."""
    keeper = next((leg for leg in found if leg.telephony_session_id is not None), found[0])
    emissions: list[Emission] = []
    for leg in found:
        if leg is not keeper and _is_same(keeper, leg):
            emissions += _absorb(book, keeper, leg, own_phone=False)
    return keeper, emissions


def _is_same(keeper: Leg, leg: Leg) -> bool:
    if leg.direction is not keeper.direction:
        return False
    return leg.telephony_session_id in (None, keeper.telephony_session_id)


def _absorb(book: Book, keeper: Leg, loser: Leg, *, own_phone: bool) -> list[Emission]:
    emissions = withdraw(loser)
    absorb(keeper, loser, own_phone=own_phone)
    unlist(book.extension, loser, keeper)
    aliases, loser.aliases = loser.aliases, []
    book.forget(loser)
    for name in aliases:
        book.name(name, keeper)
    index(book.extension, keeper)
    return emissions
