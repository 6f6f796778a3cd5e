"""What a page load posts while it starts (SPEC 6, 12), and the small things that happen outside calls."""

from collections.abc import Iterator
from random import Random
from typing import Final

from streams.simulate.people import Extension, PageLoad
from streams.simulate.scripts import Cue, Event, presence

EMPTY_PRESENCE: Final[Event] = {
    "type": "rc-adapter-syncPresence",
    "telephonyStatus": None,
    "userStatus": None,
    "dndStatus": None,
    "presenceOption": None,
}
LOGGED_OUT: Final[Event] = {
    "type": "rc-login-status-notify",
    "loggedIn": False,
    "admin": False,
    "features": {},
    "isFreshLogin": None,
}
SHOWN: Final = ("/dialer", "/history", "/messages", "/contacts", "/settings", "/composeText")
STATUSES: Final = (
    ("Available", "TakeAllCalls"),
    ("Busy", "TakeAllCalls"),
    ("Available", "DoNotAcceptDepartmentCalls"),
    ("Busy", "DoNotAcceptAnyCalls"),
)
LOAD_POSTINGS: Final = 10
"""How many postings one page load makes while it starts."""


def load(person: Extension, page: PageLoad, at: int, *, is_fresh: bool, random: Random) -> Iterator[Cue]:
    """Give the cues of a page load that begins at an instant, in order; about 3 s long.

    The status comes after a log-in that was kept, and before a fresh one.
    """
    region: Event = {"type": "rc-region-settings-notify", "countryCode": "US", "areaCode": person.main_number[2:5]}
    yield Cue(at, page, LOGGED_OUT)
    yield Cue(at + 2, page, EMPTY_PRESENCE)
    yield Cue(at + 110, page, region)
    yield Cue(at + 112, page, {"type": "rc-dialer-status-notify", "ready": False})
    yield Cue(at + 113, page, {"type": "rc-meeting-status-notify", "ready": False, "permission": False})
    yield Cue(at + 140, page, {"type": "rc-route-changed-notify", "path": "/"})
    known = at + round(random.uniform(400, 900))
    status = presence("NoCall", person)
    yield Cue(known - 60 if is_fresh else known + 70, page, status)
    yield Cue(known, page, _logged_in(person, is_fresh=is_fresh))
    yield Cue(known + 130, page, {"type": "rc-route-changed-notify", "path": "/dialer"})
    yield Cue(known + 1_150, page, {"type": "rc-dialer-status-notify", "ready": True})


def told_elsewhere(person: Extension, place: int, at: int, random: Random) -> Iterator[Cue]:
    """Tell of an end by the reload of one tab in the others: no call any more, and no end of one (SPEC 12)."""
    for page in person.tabs[:place] + person.tabs[place + 1 :]:
        yield Cue(at + round(random.uniform(90, 420)), page, presence("NoCall", person))


def new_status(person: Extension, at: int, random: Random) -> Iterator[Cue]:
    """Change what the extension says of itself; every tab posts it."""
    person.user_status, person.dnd_status = STATUSES[int(random.random() * len(STATUSES))]
    for page in person.tabs:
        yield Cue(at + round(random.uniform(40, 300)), page, presence("NoCall", person))


def new_route(person: Extension, at: int, random: Random) -> Iterator[Cue]:
    """Show another page in one tab."""
    page = person.tabs[int(random.random() * len(person.tabs))]
    yield Cue(at, page, {"type": "rc-route-changed-notify", "path": SHOWN[int(random.random() * len(SHOWN))]})


def _logged_in(person: Extension, *, is_fresh: bool) -> Event:
    return {
        "type": "rc-login-status-notify",
        "loggedIn": True,
        "loginNumber": person.key,
        "contractedCountryCode": "US",
        "admin": False,
        "features": {"sms": True, "meeting": False, "glip": False, "smartNote": False, "call": True},
        "isFreshLogin": is_fresh,
    }
