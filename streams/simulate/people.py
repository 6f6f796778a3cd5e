"""Who is simulated: extensions, the browser of each, and the page loads of its tabs. All data are invented.

Numbers come from the ranges that are set aside for fiction: `+1 aaa 555 01xx`.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

AREA_CODES: Final = (
    201, 202, 206, 212, 213, 214, 267, 303, 305, 310, 312, 314, 347, 404, 407, 415, 425, 469, 480, 503,
    510, 512, 516, 602, 612, 614, 615, 617, 619, 646, 650, 702, 703, 704, 713, 714, 718, 720, 732, 773,
    801, 804, 805, 813, 818, 832, 847, 857, 862, 914, 916, 917, 919, 925, 949, 951, 952, 954, 972, 973,
)  # fmt: skip
PER_ACCOUNT: Final = 500
_FIRST_EXTENSION: Final = 101


@dataclass(slots=True, eq=False)
class PageLoad:
    """One page load of one tab: a session of the collector."""

    session_id: str
    skew_ms: int
    """The browser's clock minus true time."""
    delay_ms: float
    """Usual network delay from this browser to the gateway."""
    is_visible: bool
    presence: dict[str, Any] | None = None
    """The status event that this page posted last."""
    loading: int = 0
    """How many postings of its start are still to come."""
    login_number: str | None = None
    """What the collector knows: null until the widget posts its login."""
    is_closed: bool = False
    sequence: int = 0
    """Highest number that the collector has given."""
    last_due: int = 0
    """When its latest envelope reaches the gateway."""


@dataclass(slots=True, eq=False)
class Extension:
    """A RingCentral user with one browser; its tabs share one web phone."""

    number: str
    """Extension number, `101`."""
    main_number: str
    """Of the company, `+16505550100`."""
    company: int
    skew_ms: int
    delay_ms: float
    tabs: list[PageLoad] = field(default_factory=list)
    user_status: str = "Available"
    dnd_status: str = "TakeAllCalls"

    @property
    def key(self) -> str:
        """The login number, `+16505550100*101`."""
        return f"{self.main_number}*{self.number}"


def extension(position: int, random: Random) -> Extension:
    """Return the extension at a position, from 0; each position is another person. Its browser has no tabs yet."""
    company, member = divmod(position, PER_ACCOUNT)
    # Most clocks are right to some tenths of a second; a few are minutes off.
    skew = random.gauss(0, 250) if random.random() < 0.97 else random.gauss(0, 90_000)
    return Extension(
        number=str(_FIRST_EXTENSION + member),
        main_number=fictitious(company),
        company=company,
        skew_ms=round(skew),
        delay_ms=random.uniform(8, 60),
    )


def tab_count(most: int, random: Random) -> int:
    """Choose how many tabs a browser has: one for two thirds of all people."""
    drawn = random.random()
    return 1 if most == 1 or drawn < 0.65 else min(most, 2 if drawn < 0.92 else 2 + int(random.random() * (most - 1)))


def page_load(person: Extension, *, is_visible: bool, random: Random) -> PageLoad:
    """Return a new page load in a tab of this person's browser."""
    return PageLoad(uuid_text(random), person.skew_ms, person.delay_ms, is_visible)


def fictitious(position: int) -> str:
    """Return the number at a position, from 0, out of the fictitious ranges; they repeat after 6,000."""
    area, line = divmod(position, 100)
    return f"+1{AREA_CODES[area % len(AREA_CODES)]}55501{line:02}"


def caller(random: Random) -> str:
    """Return some outside number."""
    return fictitious(int(random.random() * len(AREA_CODES) * 100))


def uuid_text(random: Random) -> str:
    """Return a UUID (version 4) that depends on the seed only."""
    digits = f"{random.getrandbits(128):032x}"
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
    )
