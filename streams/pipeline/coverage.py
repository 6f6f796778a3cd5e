"""Capture coverage of one partition: the hook of the extensions stage that knows the directory (CONTRACT 7).

The directory's rows come from a topic of their own at times that no log tells: these rows depend on them, everything
else on the recorded input alone. Without a directory there are none.
"""

from collections.abc import Mapping

from streams.contracts.directory import Lookup
from streams.contracts.snapshots import COVERAGE, HEARD, ROUNDS
from streams.domain import coverage as coverages
from streams.domain.coverage import NO_SHARE, Coverage, Heard, Rounds, Share, day_name
from streams.domain.events import Event
from streams.domain.intervals.days import day_of
from streams.domain.intervals.windows import Window, final_at
from streams.domain.legs.records import identifier
from streams.domain.outputs import Output
from streams.domain.words import CoverageKind
from streams.pipeline.partitioner import partition_of
from streams.pipeline.records import Written
from streams.pipeline.store import Kinds, Store
from streams.pipeline.writer import Writer

ROUNDS_KEY = b"R"
KINDS: Kinds = {
    b"H": (HEARD, coverages.heard_due),
    b"R": (ROUNDS, coverages.rounds_due),
    b"V": (COVERAGE, coverages.next_due),
}
"""When each extension was heard, the rounds of the partition, and the days of accounts."""


class Shares:
    """What the directory has in one partition, worked out again when it has changed."""

    def __init__(self, directory: Lookup, partition: int, partitions: int):
        """Look at the part of a directory whose extensions belong into a partition."""
        self._directory = directory
        self._partition = partition
        self._partitions = partitions
        self._revision = 0
        self._shares: dict[str, Share] = {}

    @property
    def is_empty(self) -> bool:
        """Whether the directory never had a row."""
        return self._directory.revision == 0

    def by_account(self) -> Mapping[str, Share]:
        """Return the share of each account that has one."""
        if self._directory.revision != self._revision:
            self._revision = self._directory.revision
            self._shares = dict(self._worked_out())
        return self._shares

    def _worked_out(self) -> list[tuple[str, Share]]:
        found = []
        for account_id, members in self._directory.members().items():
            keys = sorted(key for key in members.versions if partition_of(key, self._partitions) == self._partition)
            if keys:
                told = [f"{key} {members.versions[key]}" for key in keys]
                found.append((account_id, Share(members.time_zone, keys, identifier(*told)[:16])))
        return found


class CoverageKeeper:
    """The days of the accounts of one partition."""

    def __init__(self, store: Store, writer: Writer, shares: Shares, partition: int):
        """Keep them in the store of the partition, whose kinds include KINDS."""
        self._store = store
        self._writer = writer
        self._shares = shares
        self._partition = partition

    def begin(self, now: int) -> None:
        """Begin the rounds as soon as there is a directory and a time."""
        if now and not self._shares.is_empty and ROUNDS_KEY not in self._store:
            self._store.put(ROUNDS_KEY, Rounds(now))
            self._store.reschedule()

    def hear(self, event: Event, now: int) -> None:
        """Take note of an event, at stream time now."""
        if self._shares.is_empty:
            return
        key = heard_key(event.extension_key)
        heard: Heard | None = self._store.peek(key)
        # Nearly every event comes in a quarter of an hour that is known already: nothing is touched for it.
        if heard is None or not coverages.is_heard_at(heard, event.event_time):
            self._hear(key, event, now)

    def _hear(self, key: bytes, event: Event, now: int) -> None:
        heard: Heard | None = self._store.get(key)
        if heard is None:
            heard = Heard()
            self._store.put(key, heard)
        day = day_of(event.account_time_zone, event.event_time)
        is_news = not coverages.is_heard_in(heard, day)
        coverages.hear(heard, event.event_time)
        name = coverage_key(day_name(event.account_id or "", day.start))
        if is_news and name in self._store:
            coverage: Coverage = self._store.get(name)
            if coverage.changed_at is None:
                coverage.changed_at = now

    def expire(self, key: bytes, at: int) -> list[Written]:
        """Make a round, tell a day or forget what is old; return the rows."""
        if key[:1] == b"R":
            return self._round(at)
        if key[:1] == b"H":
            self._store.delete(key)
            return []
        coverage: Coverage | None = self._store.get(key)
        if coverage is None:
            return []
        if not coverage.is_final:
            is_over = at >= final_at(coverage.window)
            return self._tell(coverage, CoverageKind.FINAL if is_over else CoverageKind.EARLY, at)
        if coverage.changed_at is not None:
            return self._tell(coverage, CoverageKind.AMENDED, at)
        self._store.delete(key)
        return []

    def today(self) -> tuple[int, int]:
        """Return how many extensions were heard on the days that go on and how many were not, as last told."""
        heard = silent = 0
        rounds: Rounds | None = self._store.peek(ROUNDS_KEY)
        for name in rounds.open if rounds is not None else ():
            coverage: Coverage | None = self._store.peek(coverage_key(name))
            # Between midnight and the FINAL row the day before is open too.
            if rounds is not None and coverage is not None and rounds.due <= coverage.window.end:
                heard += coverage.heard
                silent += coverage.extensions - coverage.heard
        return heard, silent

    def _round(self, at: int) -> list[Written]:
        """Begin the days that have come, and tell those of which the directory says something new."""
        rounds: Rounds = self._store.get(ROUNDS_KEY)
        rounds.due = coverages.next_round(at)
        shares = self._shares.by_account()
        for account_id, share in shares.items():
            self._open(rounds, account_id, day_of(share.zone, at))
        outputs: list[Written] = []
        for name in rounds.open:
            coverage: Coverage = self._store.peek(coverage_key(name))
            version = shares.get(coverage.account_id, NO_SHARE).version
            if not coverage.revision or version != coverage.version:
                outputs += self._tell(self._store.get(coverage_key(name)), CoverageKind.EARLY, at)
        return outputs

    def _open(self, rounds: Rounds, account_id: str, day: Window) -> None:
        name = day_name(account_id, day.start)
        if name not in rounds.open and coverage_key(name) not in self._store:
            rounds.open.append(name)
            self._store.put(coverage_key(name), Coverage(account_id, day))

    def _tell(self, coverage: Coverage, kind: CoverageKind, at: int) -> list[Written]:
        coverage.changed_at = None
        name = day_name(coverage.account_id, coverage.window.start)
        if kind is CoverageKind.AMENDED:
            is_news = coverages.amend(coverage, lambda key: self._was_heard(key, coverage.window))
        else:
            share = self._shares.by_account().get(coverage.account_id, NO_SHARE)
            is_news = coverages.take_stock(coverage, share, lambda key: self._was_heard(key, coverage.window))
        if kind is CoverageKind.FINAL:
            rounds: Rounds = self._store.get(ROUNDS_KEY)
            rounds.open.remove(name)
            coverage.is_final = is_news = True
        if not is_news:
            return []
        coverage.revision += 1
        row = coverages.coverage_row(coverage, kind, self._partition, at)
        key = f"{coverage.account_id}:{coverage.window.start}:{self._partition}"
        return [self._writer.row(Output.CAPTURE_COVERAGE, key, row, [])]

    def _was_heard(self, extension_key: str, window: Window) -> bool:
        heard: Heard | None = self._store.peek(heard_key(extension_key))
        return heard is not None and coverages.is_heard_in(heard, window)


def heard_key(extension_key: str) -> bytes:
    """Return the key under which it is stored when an extension was heard."""
    return b"H" + extension_key.encode()


def coverage_key(name: str) -> bytes:
    """Return the key under which a day is stored."""
    return b"V" + name.encode()
