"""The memory of one extension: its page loads, its presence, and where to find its legs."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from streams.domain.instants import Instant
from streams.domain.legs import joins
from streams.domain.legs.evidence import Closing, Leg, Span, Stray
from streams.domain.presence import PresenceState
from streams.domain.words import State

if TYPE_CHECKING:
    from streams.domain.messages import MessageState

TAB_MEMORY_MS = 25 * 3_600_000
MEMORY_MS = 30 * 24 * 3_600_000
"""An extension of which nothing was heard for so long is forgotten."""
MAX_TABS = 100


@dataclass(slots=True)
class Tab:
    """What an extension remembers of one of its page loads."""

    logged_in: bool = False
    told: bool = False
    """A login status said so; before one, a call or a presence implies it (DECISIONS 35)."""
    login_at: int = 0
    """Event time of the last login status, ms since the epoch."""
    since: int = 0
    """Event time of the first that showed it logged in, ms since the epoch."""
    left: Instant | None = None
    """When it logged out after that."""
    seen: int = 0
    """Stream time of its last event."""
    calling_mode: str | None = None
    """As its calling settings said last."""
    following: list[str] = field(default_factory=list)
    """Legs that it told of: what it loses now may be theirs (DECISIONS 28)."""
    span: Span | None = None
    """Its sequence numbers from the first that told of a leg on."""
    gapped: list[str] = field(default_factory=list)
    """Legs that are over, of which a post may still come."""
    last_posts: dict[str, str] = field(default_factory=dict)
    """Digest of the last post of each small type: an equal one right after it is a repetition."""


@dataclass(slots=True)
class Extension:
    """The memory of one extension beside its legs."""

    key: str
    tabs: dict[str, Tab] = field(default_factory=dict)
    presence: PresenceState = field(default_factory=PresenceState)
    open_legs: dict[str, State] = field(default_factory=dict)
    """Legs that have not ended, by id, with their state."""
    unsettled: list[str] = field(default_factory=list)
    """Legs that ended and whose record is not final yet."""
    ended: dict[str, int | None] = field(default_factory=dict)
    """The latest legs that ended, by id in the order in which they did, and when each began, ms since the epoch; None:
    only the leg knows. What lags behind a quick hang-up finds them (DECISIONS 9)."""
    silences: list[Closing] = field(default_factory=list)
    """When presence or a logout said that there is no call, in order of arrival (DECISIONS 24)."""
    strays: list[Stray] = field(default_factory=list)
    """The latest ends of active calls that no leg knew: their leg may be told of later (DECISIONS 20)."""
    calling_mode: str | None = None
    consulted: list[str] = field(default_factory=list)
    """Dialogs that a consultation named as the ones to be handed over (DECISIONS 32)."""
    session_events: int = 0
    seen: int = 0
    """Stream time of its last event."""
    team: str | None = None
    site: str | None = None


class Book(joins.Legs, Protocol):
    """One extension and all its legs. What is handed out may be changed, and the change is kept."""

    @property
    def extension(self) -> Extension:
        """The extension itself."""

    def leg(self, leg_id: str) -> Leg:
        """Return a leg that is known to be there."""

    def look(self, leg_id: str) -> Leg:
        """Return a leg that is known to be there, to be looked at and not to be changed: nothing of it is saved."""

    def add(self, leg: Leg) -> None:
        """Keep a new leg."""

    def forget(self, leg: Leg) -> None:
        """Drop a leg and its names."""

    def message(self, message_id: str) -> "MessageState":
        """Return what is remembered of a message, to be changed; nothing yet of a new one."""


def tab_of(extension: Extension, session_id: str | None, now: int, *, logged_in_at: int | None = None) -> Tab:
    """Return a page load, new or known.

    Args:
        extension: The extension of the page load.
        session_id: The page load.
        now: Stream time.
        logged_in_at: Event time of a call or a presence in it: its user is logged in, unless a status says otherwise.
    """
    tab = extension.tabs.get(session_id or "")
    if tab is None:
        tab = extension.tabs[session_id or ""] = Tab()
        while len(extension.tabs) > MAX_TABS:
            del extension.tabs[min(extension.tabs, key=lambda name: extension.tabs[name].seen or now)]
    tab.seen = max(tab.seen, now)
    if logged_in_at is not None:
        _imply_login(tab, logged_in_at)
    return tab


def _imply_login(tab: Tab, at: int) -> None:
    if not tab.told and not tab.logged_in:
        tab.logged_in, tab.since = True, at
    elif at < tab.since and (tab.logged_in or tab.left is not None):
        tab.since = at


def was_logged_in(tab: Tab, at: int) -> bool:
    """Tell whether a page load was logged in at an instant of event time, whatever came first (DECISIONS 25)."""
    if tab.left is not None:
        return tab.since <= at < tab.left.at
    return tab.logged_in and tab.since <= at


def open_sessions(extension: Extension) -> int:
    """Count the page loads that are logged in."""
    count = 0
    for tab in extension.tabs.values():
        count += tab.logged_in
    return count


def next_due(extension: Extension) -> int:
    """Return the stream time at which the oldest page load is forgotten, or the extension itself."""
    if not extension.tabs:
        return extension.seen + MEMORY_MS
    return min([tab.seen for tab in extension.tabs.values()]) + TAB_MEMORY_MS


def is_forgettable(extension: Extension, now: int) -> bool:
    """Tell whether nothing is left of the extension that may still be asked for: every leg is final long before."""
    return not extension.tabs and extension.seen + MEMORY_MS <= now


def forget_tabs(extension: Extension, now: int) -> None:
    """Drop the page loads that were silent for TAB_MEMORY_MS: they were closed without a word."""
    for name, tab in list(extension.tabs.items()):
        if tab.seen + TAB_MEMORY_MS <= now:
            del extension.tabs[name]
