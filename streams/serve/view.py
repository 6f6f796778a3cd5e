"""Everything that is held, and what a record changes in it. Pure: records and instants come from outside.

Until `ready` the topics are being read from their beginning and no change is told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from streams.contracts.avro import AvroError, Codec, codec
from streams.contracts.kept_json import kept_json
from streams.serve.changes import KEPT, Changes, Kind
from streams.serve.held import NOWHERE, Held, Table, Tags, tags
from streams.serve.intervals import EXTENSION, Intervals, place_of
from streams.serve.intervals import KEPT_MS as INTERVALS_MS
from streams.serve.packs import end_of
from streams.serve.places import NoRowError, Places
from streams.serve.records import KEPT_MS as RECORDS_MS
from streams.serve.records import Records, kept
from streams.serve.totals import Today, scopes_of

RECORD_OF: Final = {
    "active-calls": "ActiveCall",
    "presence": "Presence",
    "call-records": "CallRecord",
    "interval-metrics": "IntervalMetrics",
}
"""Topics with Avro values that are read, by their ids in the catalogue."""
Row = dict[str, Any]


def codecs() -> dict[str, Codec]:
    """Return the codec of each topic that is read."""
    return {topic: codec(record) for topic, record in RECORD_OF.items()}


@dataclass
class View:
    """The state that is served."""

    generation: str
    """Of the versions; another one for each start and each rebuilding."""
    codecs: dict[str, Codec] = field(default_factory=codecs)
    day_start: Callable[[int], int] = lambda now: now - now % 86_400_000
    """The instant at which the day began that an instant falls in."""
    changes_kept: int = KEPT
    ready: bool = False

    def __post_init__(self) -> None:
        """Begin empty."""
        self.active: Table[Held] = Table()
        self.presence: Table[Held] = Table()
        self.records = Records()
        self.intervals = Intervals()
        self.places = Places()
        self.today = Today()
        self.changes = Changes(self.generation, self.changes_kept)
        self._interval_prefix = self.codecs["interval-metrics"].prefix
        self._takes = {
            "active-calls": self._active_call,
            "presence": self._presence,
            "call-records": self._call_record,
            "interval-metrics": self._interval,
        }

    def take(self, topic: str, key: str, value: bytes | None, now: int) -> bool:
        """Take a record.

        Args:
            topic: Id of its topic in the catalogue.
            key: Its key.
            value: Its value; None is a tombstone.
            now: The instant it is.

        Returns:
            False when the value cannot be read: nothing changed.
        """
        try:
            if topic == "directory":
                self._directory(key, value)
                return True
            if topic == "interval-metrics" and not self.ready and self._load_interval(key, value, now):
                return True
            row = None if value is None else self.codecs[topic].to_json(value)
        except (AvroError, NoRowError):
            return False
        self._takes[topic](key, row, value or b"", now)
        return True

    def begin(self, now: int) -> None:
        """End the loading: from here on changes are told."""
        self.records.sort()
        self.records.expire(now - RECORDS_MS)
        self.today.begin(self.day_start(now), self.records.by_leg.values())
        self.ready = True

    def pass_time(self, now: int) -> None:
        """Forget what is too old, and begin a new day when it is time."""
        for record in self.records.expire(now - RECORDS_MS):
            self.today.add(record, -1)
        start = self.day_start(now)
        if start != self.today.day_start:
            self.today.begin(start, self.records.by_leg.values())

    def forget_old_intervals(self, now: int) -> None:
        """Forget the interval rows that are too old."""
        self.intervals.expire(now - INTERVALS_MS)

    def tell_summaries(self, now: int) -> None:
        """Tell the totals that changed since this was called last."""
        changed, self.today.changed = self.today.changed, set()
        for scope in changed:
            self._tell(Kind.SUMMARY, ",".join(scope), kept_json(self.summary(scope, now)), scope)

    def summary(self, scope: Tags, now: int) -> Row:
        """Return today's totals of all (no tag), or of one team, site or queue.

        The service level is counted from interval rows where there are any for the scope's day, else from the call
        records that are held; `service_level_source` says which.
        """
        kind, _, name = next(iter(scope), "").partition(":")
        totals = self.today.of(scope).row()
        days = self.intervals.days(kind.upper() or "ACCOUNT", name or None, now)
        level = {
            "service_level_source": "INTERVAL_METRICS" if days else "CALL_RECORDS",
            "service_level_offered": sum(day.offered for day in days) if days else totals["calls_offered"],
            "service_level_answered_within_20": (
                sum(day.within for day in days) if days else totals["answered_within_20"]
            ),
        }
        about = {"scope_type": kind.upper() or "ALL", "scope_id": name or None, "day_start": self.today.day_start}
        return {**about, **level, **totals}

    def scopes(self) -> dict[str, list[str]]:
        """Return the teams, sites and queues that are known, in order: what can be chosen."""
        known = self.places.known().union(*self.today.scopes)
        parted = sorted(tag.partition(":")[::2] for tag in known)
        return {kind: [name for found, name in parted if found == kind] for kind in ("team", "site", "queue")}

    def knows(self, extension_key: str) -> bool:
        """Tell whether anything was ever held of an extension."""
        return extension_key in self.presence.rows or self.records.knows(extension_key)

    def _tell(self, kind: Kind, key: str, json: bytes, belongs: Tags) -> None:
        if self.ready:
            self.changes.add(kind, key, json, belongs)

    def _active_call(self, key: str, row: Row | None, _: bytes, __: int) -> None:
        if row is None:
            if (gone := self.active.drop(key)) is not None:
                told = kept_json({"leg_id": key, "extension_key": gone.extension_key})
                self._tell(Kind.ACTIVE_CALL_ENDED, key, told, gone.tags)
            return
        belongs = tags(row["team"], row["site"], tuple(row["queues"]))
        self.places.see(row["extension_key"], belongs)
        held = Held(kept_json(row), row["extension_key"], row["state"], belongs)
        self.active.put(key, held)
        self._tell(Kind.ACTIVE_CALL, key, held.json, belongs)

    def _presence(self, key: str, row: Row | None, _: bytes, __: int) -> None:
        if row is None:
            if self.presence.drop(key) is not None:
                self._tell(Kind.PRESENCE_GONE, key, kept_json({"extension_key": key}), self.places.of(key))
            return
        held = Held(kept_json(row), key, row["activity"], NOWHERE)
        self.presence.put(key, held)
        self._tell(Kind.PRESENCE, key, held.json, self.places.of(key))

    def _call_record(self, key: str, row: Row | None, avro: bytes, now: int) -> None:
        if row is None:
            if (merged := self.records.drop(key)) is not None and self.ready:
                self.today.add(merged, -1)
            return
        self.places.see(row["extension_key"], tags(row["team"], row["site"], tuple(row["queues"])))
        record = kept(row, avro)
        if record.at < now - RECORDS_MS or not self.records.is_news(key, record.revision):
            return
        replaced = self.records.put(record, loading=not self.ready)
        if not self.ready:  # `begin` counts them all
            return
        for gone in replaced:
            self.today.add(gone, -1)
        if self.records.by_leg.get(key) is record:
            self.today.add(record)
        self._tell(Kind.CALL_RECORD, key, kept_json(row), record.tags)

    def _load_interval(self, key: str, value: bytes | None, now: int) -> bool:
        """Take a row of an extension by its key alone, unread: they are nearly all that is to be read at the start."""
        place = place_of(key)
        if place is None or place[0][0] != EXTENSION or not (value or b"").startswith(self._interval_prefix):
            return False
        scope, window = place
        if end_of(window) >= now - INTERVALS_MS:
            self.intervals.put(scope, window, value or b"")
        return True

    def _interval(self, key: str, row: Row | None, avro: bytes, now: int) -> None:
        if row is None or row["window_end"] < now - INTERVALS_MS:
            return
        scope, window = (row["scope_type"], row["scope_id"]), (row["window_seconds"], row["window_start"])
        known = self.intervals.known(scope, window)
        if known is not None and self.codecs["interval-metrics"].to_json(known)["revision"] > row["revision"]:
            return
        if not self.intervals.put(scope, window, avro):
            return
        self.intervals.note_day(row)
        if not self.ready:
            return
        belongs = self._interval_tags(*scope)
        if scope[0] != EXTENSION:
            self.today.changed.update({NOWHERE} if scope[0] == "ACCOUNT" else scopes_of(belongs) - {NOWHERE})
        self._tell(Kind.INTERVAL, key, kept_json(row), belongs)

    def _interval_tags(self, scope_type: str, scope_id: str) -> Tags:
        if scope_type == EXTENSION:
            return self.places.of(scope_id)
        return NOWHERE if scope_type == "ACCOUNT" else frozenset((f"{scope_type.lower()}:{scope_id}",))

    def _directory(self, key: str, value: bytes | None) -> None:
        extension = self.places.take(key, value)
        held = self.presence.rows.get(extension or "")
        if extension and held:  # who looks at the new team sees the person at once
            self._tell(Kind.PRESENCE, extension, held.json, self.places.of(extension))
