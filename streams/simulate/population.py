"""A population of widgets at work: everything that they post, in the order of true time.

Pure: depends on the seed and the arguments alone, and asks no clock. Whole calls are decided when they begin; their
postings wait in a heap until their time. What is idle costs nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple

from streams.simulate import calls
from streams.simulate.habits import CallKind, Crowd, Habits
from streams.simulate.history import TrueLeg
from streams.simulate.pace import Pace
from streams.simulate.page_loads import LOAD_POSTINGS, load, new_route, new_status, told_elsewhere
from streams.simulate.people import Extension, PageLoad, extension, page_load, tab_count
from streams.simulate.scripts import RELOAD_MS, Cue, Event, script

TICK_MS: Final = 50
BUSY_AFTER_LOAD_MS: Final = 3_000
BURST_MS: Final = 5_000


class Posting(NamedTuple):
    """A widget event at the moment when a page posts it."""

    at: int
    """True time, UTC ms since the epoch."""
    page: PageLoad
    event: Event


@dataclass(slots=True)
class History:
    """What has happened so far. Legs are noted when they begin, with their end: it is decided by then."""

    legs: list[TrueLeg] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """How many `calls`, `legs`, `page_loads`, `reloads_in_call`, and `refused`: calls that found nobody idle."""

    def take_ended(self, until: int) -> list[TrueLeg]:
        """Return the legs that ended up to an instant, in true ms, and forget them."""
        ended = [leg for leg in self.legs if leg.ended_at <= until]
        self.legs = [leg for leg in self.legs if leg.ended_at > until]
        return ended


class Population:
    """People, their calls and the postings of their widgets."""

    def __init__(self, seed: int, habits: Habits, crowd: Crowd, start_ms: int):
        """Begin with nobody there. The same arguments give the same postings."""
        self.history = History()
        self._habits, self._crowd, self._now = habits, crowd, start_ms
        self._random = Random(seed)  # noqa: S311 - chance that can be repeated, not a secret
        self._idle: list[Extension] = []
        self.present = 0
        """How many people have come so far."""
        self._heap: list[tuple[int, int, Cue | Callable[[int], None]]] = []
        self._pushed = 0
        self._kinds, self._weights = list(habits.kinds), list(habits.kinds.values())
        self._legs_per_call = _legs_per_call(habits)
        self._pace = Pace(crowd.rate) if crowd.rate else None
        self._begin(start_ms)

    def postings(self) -> Iterator[Posting]:
        """Give the postings in the order of time, for ever."""
        while self._heap:
            at, _, due = heappop(self._heap)
            if not isinstance(due, Cue):
                due(at)
            elif (event := _posted(due)) is not None:
                self._count(due.page)
                yield Posting(at, due.page, event)

    def _count(self, page: PageLoad) -> None:
        if page.loading:
            page.loading -= 1
        elif self._pace:
            self._pace.posted()

    def _begin(self, start: int) -> None:
        if self._pace:
            self._at(start, self._grow)
        else:
            step = self._crowd.login_ms / max(self._crowd.extensions, 1)
            for place in range(self._crowd.extensions):
                self._at(start + round(place * step), self._log_in)
        self._at(start + BUSY_AFTER_LOAD_MS, self._ring)
        self._at(start + BUSY_AFTER_LOAD_MS, self._chores)
        if self._crowd.burst_every_ms:
            self._at(start + self._crowd.burst_every_ms, self._burst)

    def _at(self, at: int, what: Cue | Callable[[int], None]) -> None:
        self._pushed += 1
        heappush(self._heap, (at, self._pushed, what))

    def _cues(self, cues: Iterable[Cue]) -> None:
        for cue in cues:
            self._at(cue.at, cue)

    # People come ----------------------------------------------------------------------------------------------------

    def _grow(self, at: int) -> None:
        assert self._pace is not None
        while self.present < self._crowd.extensions and self._pace.wants_more(at):
            self._log_in(at)
        self._at(at + TICK_MS, self._grow)

    def _log_in(self, at: int) -> None:
        person = extension(self.present, self._random)
        self.present += 1
        tabs = tab_count(self._crowd.tabs, self._random)
        for place in range(tabs):
            begins = at + round(self._random.random() * TICK_MS) + place * 20
            self._open(person, place, begins, is_fresh=self._crowd.fresh_logins)
        self._release(at + BUSY_AFTER_LOAD_MS, person)

    def _open(self, person: Extension, place: int, at: int, *, is_fresh: bool) -> None:
        page = page_load(person, is_visible=place == 0, random=self._random)
        person.tabs[place : place + 1] = [page]
        page.loading = LOAD_POSTINGS
        if self._pace:
            self._pace.promised(LOAD_POSTINGS)
        self.history.counts["page_loads"] += 1
        self._cues(load(person, page, at, is_fresh=is_fresh, random=self._random))

    def _release(self, at: int, person: Extension) -> None:
        self._at(at, lambda _: self._idle.append(person))

    def _take(self) -> Extension:
        place = int(self._random.random() * len(self._idle))
        self._idle[place], self._idle[-1] = self._idle[-1], self._idle[place]
        return self._idle.pop()

    # Calls ------------------------------------------------------------------------------------------------------------

    def _ring(self, at: int) -> None:
        per_ms = self.present * self._habits.calls_per_hour / 3_600_000 / self._legs_per_call
        gap = self._random.expovariate(per_ms) if per_ms else TICK_MS
        if gap > TICK_MS:  # The crowd may have grown by then; waiting has no memory, so we may draw again.
            self._at(at + TICK_MS, self._ring)
            return
        begins = at + round(gap)
        if not (self._pace and self._pace.has_too_much(at)):
            self._at(begins, lambda now: self._call(now, self._random.choices(self._kinds, self._weights)[0]))
        self._at(begins, self._ring)

    def _burst(self, at: int) -> None:
        for _ in range(max(self.present // 4, 1)):
            later = at + round(self._random.random() * BURST_MS)
            self._at(later, lambda now: self._call(now, CallKind.QUEUE))
        self._at(at + (self._crowd.burst_every_ms or 0), self._burst)

    def _call(self, at: int, kind: CallKind) -> None:
        wanted = calls.seats(kind, self._habits, self._random)
        if kind is CallKind.QUEUE:
            wanted = min(wanted, len(self._idle))
        if not 0 < wanted <= len(self._idle):
            self.history.counts["refused"] += 1
            return
        people = [self._take() for _ in range(wanted)]
        legs = calls.legs_of(kind, calls.begin(at, self._random), people, self._habits, self._random)
        self.history.counts["calls"] += len({leg.call_id for leg in legs})
        self.history.counts["legs"] += len(legs)
        self.history.legs += legs
        for person in people:
            self._live(person, [leg for leg in legs if leg.extension_key == person.key])

    def _live(self, person: Extension, legs: list[TrueLeg]) -> None:
        self._cues(script(legs, person, self._random))
        free = max(leg.ended_at for leg in legs) + 700
        if legs[0].ended_by_reload:
            self.history.counts["reloads_in_call"] += 1
            self._at(legs[0].ended_at, lambda now: self._reload(now, person, 0))
            free += RELOAD_MS + BUSY_AFTER_LOAD_MS
        self._release(free + round(self._random.expovariate(1 / self._habits.gap_ms)), person)

    # Other things -----------------------------------------------------------------------------------------------------

    def _reload(self, at: int, person: Extension, place: int) -> None:
        person.tabs[place].is_closed = True
        self._open(person, place, at + RELOAD_MS, is_fresh=False)
        self._cues(told_elsewhere(person, place, at, self._random))

    def _chores(self, at: int) -> None:
        per_ms = self.present * self._habits.chores_per_hour / 3_600_000
        gap = self._random.expovariate(per_ms) if per_ms else TICK_MS
        self._at(at + min(round(gap), TICK_MS), self._chores)
        if gap <= TICK_MS and self._idle:
            self._chore(at, self._take())

    def _chore(self, at: int, person: Extension) -> None:
        drawn = self._random.random()
        if drawn < 0.2:
            self._reload(at, person, int(self._random.random() * len(person.tabs)))
        elif drawn < 0.5:
            self._cues(new_status(person, at, self._random))
        else:
            self._cues(new_route(person, at, self._random))
        self._release(at + RELOAD_MS + BUSY_AFTER_LOAD_MS, person)


def _posted(cue: Cue) -> Event | None:
    """Return the event as the page posts it; None when the page is gone or has nothing new to tell."""
    page, event = cue.page, cue.event
    if page.is_closed:
        return None
    if cue.call is not None:
        call = cue.call | event["call"]
        if call["callId"] is None:
            del call["callId"]
        return {"type": event["type"], "call": call}
    if event["type"] == "rc-adapter-syncPresence":
        if event == page.presence:
            return None
        page.presence = event
    return event


def _legs_per_call(habits: Habits) -> float:
    shares = habits.kinds
    more = shares.get(CallKind.INTERNAL, 0) + shares.get(CallKind.QUEUE, 0) * (habits.queue_agents - 1) / 2
    more += shares.get(CallKind.INBOUND, 0) * habits.call_waiting
    return 1 + more / sum(shares.values())
