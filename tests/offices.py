"""Stories of a small office for properties of interval metrics: three people, calls they share, and late envelopes."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hypothesis import strategies as st

from streams.contracts.directory import Directory
from streams.contracts.directory_rows import DirectoryRow
from streams.domain.words import ScopeType
from streams.pipeline.records import Folded, Read, Written
from streams.pipeline.scopes import ScopesPartition
from streams.pipeline.writer import Writer
from tests.builders import T0, Both, Call, Json, Row, Tab, reads, rows_of

ACCOUNT, ZONE = "310450016", "America/Los_Angeles"
PEOPLE = {
    "+16505550100*101": ("red", "north"),
    "+16505550100*102": ("red", "south"),
    "+16505550100*103": ("blue", "north"),
}
"""Team and site of each extension."""
KEYS = tuple(PEOPLE)
GAPS = (0, 3, 900, 5_100, 29_000, 61_000, 600_000, 2_000_000)
LATE = (0, 0, 0, 0, 0, 4_000, 90_000, 1_200_000, 10_800_000)
DELAYS = (20, 40, 3_000)
QUARTER_MS, DAY_MS = 900_000, 86_400_000


def office() -> Directory:
    """Return the directory."""
    rows: list[Json] = [
        {"account_id": ACCOUNT, "extension_id": f"31045{number}016", "login_number": key, "team": team, "site": site}
        for number, (key, (team, site)) in enumerate(PEOPLE.items(), 1)
    ]
    directory = Directory()
    for row in (*rows, {"account_id": ACCOUNT, "extension_id": None, "time_zone": ZONE}):
        directory.add(DirectoryRow.model_validate({"time_zone": "Europe/Berlin", **row}))
    return directory


class Step(NamedTuple):
    """One thing that happens `gap` ms after the step before; its envelope arrives `late` ms later than usual."""

    person: int
    call: int
    action: str
    gap: int
    delay: int
    late: int


def message(tab: Tab, at: int, number: int, direction: str) -> Json:
    """Post a message that was created just now."""
    created = datetime.fromtimestamp((T0 + at) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return tab.say(
        "rc-message-updated-notify",
        at,
        message={
            "uri": f"https://platform.ringcentral.com/restapi/v1.0/account/{ACCOUNT}/extension/1/message-store/{number}",
            "id": number,
            "type": "SMS" if number % 2 else "Fax",
            "direction": direction,
            "creationTime": created,
            "lastModifiedTime": created,
            "readStatus": "Unread",
            "availability": "Alive",
            "messageStatus": "Received",
        },
    )


CALLS: dict[str, Callable[[Call, int], Json]] = {
    "ring": lambda call, at: call.ring(at) if call.direction == "Inbound" else call.init(at),
    "start": lambda call, at: call.start(at),
    "hold": lambda call, at: call.hold(at),
    "resume": lambda call, at: call.resume(at),
    "end": lambda call, at: call.end(at),
    "end to voicemail": lambda call, at: call.end(at, isToVoicemail=True),
    "end by transfer": lambda call, at: call.end(at, isOnTransfer=True),
}
OTHERS: dict[str, Callable[[Tab, int], Json]] = {
    "available": lambda tab, at: tab.presence(at),
    "away": lambda tab, at: tab.presence(at, "NoCall", "Offline"),
    "login": lambda tab, at: tab.logs_in(at, tab.login),
    "logout": lambda tab, at: tab.logs_out(at),
    "received": lambda tab, at: message(tab, at, 1 + at // 10, "Inbound"),
    "sent": lambda tab, at: message(tab, at, 1 + at // 10, "Outbound"),
}
ACTIONS = (*CALLS, *CALLS, *OTHERS)


def steps(size: int = 30) -> st.SearchStrategy[list[Step]]:
    """Return lists of steps."""
    fields: dict[str, Any] = {
        "person": st.integers(0, 2),
        "call": st.integers(1, 3),
        "action": st.sampled_from(ACTIONS),
        "gap": st.sampled_from(GAPS),
        "delay": st.sampled_from(DELAYS),
        "late": st.sampled_from(LATE),
    }
    return st.lists(st.builds(Step, **fields), min_size=1, max_size=size)


def posted(story: Sequence[Step]) -> list[Json]:
    """Return the envelopes of a story in the order of their arrival."""
    tabs = [Tab(f"office-{index}", login=key) for index, key in enumerate(KEYS)]
    calls = {
        (index, number): tab.call(number, direction="Outbound" if number == 3 else "Inbound")
        for index, tab in enumerate(tabs)
        for number in (1, 2, 3)
    }
    at = 0
    envelopes = []
    for step in story:
        at += step.gap
        tab = tabs[step.person]
        tab.delay_ms = step.delay
        if step.action in CALLS:
            envelope = CALLS[step.action](calls[step.person, step.call], at)
        else:
            envelope = OTHERS[step.action](tab, at)
        envelopes.append(
            {
                **envelope,
                "sent_at": envelope["sent_at"] + step.late,
                "received_at": envelope["received_at"] + step.late,
            }
        )
    return sorted(envelopes, key=lambda envelope: int(envelope["received_at"]))


class Three(Both):
    """All three stages over one partition, with state that can be saved and opened again between batches."""

    def __init__(self, **plan: Any) -> None:
        """Begin with empty state and the office's directory."""
        self._next = 0
        self._decoded: list[Row] = []
        super().__init__(**{"directory": office(), **plan})

    def reopen(self) -> None:
        """Open all partitions with the state that was saved."""
        super().reopen()
        self.scopes = ScopesPartition(self.plan, 0, self.saved.setdefault("scopes", {}))

    def until(self, at: int) -> None:
        """Let time pass, in the scopes stage too."""
        super().until(at)
        told = self.extensions.mark(None, self._offset)
        if told is not None and told.mark is not None:
            self._scope(Writer(self.plan, 0).scope_marks({"marks": [told.mark._asdict()]}))

    def _keep(self, stage: str, folded: Folded) -> list[Written]:
        written = super()._keep(stage, folded)
        if stage == "extensions":
            self._scope([record for record in written if record.topic == self.plan.names["ScopeDelta"]])
        return written

    def _scope(self, written: Sequence[Written]) -> None:
        records = []
        for record in written:
            records.append(Read(0, self._next, -1, record.key, record.value, record.headers))
            self._next += 1
        self._keep("scopes", self.scopes.fold(records))

    @property
    def rows(self) -> list[Row]:
        """Everything that was written, decoded once."""
        self._decoded += rows_of(self.written[len(self._decoded) :])
        return self._decoded

    def metrics(self) -> dict[str, Json]:
        """Return the last row of each key."""
        return {str(row.key): row.row for row in self.rows if row.record == "IntervalMetrics" and row.row}

    def records(self) -> list[Json]:
        """Return the last revision of each leg."""
        last = {row.key: row.row for row in self.rows if row.record == "CallRecord"}
        return [row for row in last.values() if row is not None]


def arrivals(story: Sequence[Step]) -> list[tuple[Read, int]]:
    """Return the records of a story and when each arrives, in ms after T0."""
    envelopes = posted(story)
    return [
        (record, int(envelope["received_at"]) - T0)
        for record, envelope in zip(reads(envelopes), envelopes, strict=True)
    ]


ADDITIVE = (
    "calls_offered", "calls_answered", "calls_missed", "calls_rejected", "calls_voicemail", "calls_outbound",
    "calls_outbound_connected", "calls_transferred", "calls_held", "ring_ms", "talk_ms", "hold_ms", "handle_ms",
    "logins",
)  # fmt: skip
MAPS = ("answered_within", "activity_ms", "messages_in", "messages_out", "ring_sketch", "talk_sketch", "hold_sketch")


def numbers_of(row: Json, *, without: Iterable[str] = ()) -> Counter[tuple[str, str]]:
    """Return the additive numbers of a row by field and name, zeros left out."""
    found = Counter({(name, ""): row[name] for name in ADDITIVE if row[name] and name not in without})
    for name in MAPS:
        if name not in without:
            found.update({(name, key): value for key, value in row[name].items() if value})
    return found


def total(rows: Iterable[Json], *, without: Iterable[str] = ()) -> Counter[tuple[str, str]]:
    """Add the numbers of rows up."""
    result: Counter[tuple[str, str]] = Counter()
    for row in rows:
        result.update(numbers_of(row, without=without))
    return Counter({name: value for name, value in result.items() if value})


def belongs(row: Json, scope: Json) -> bool:
    """Tell whether an extension's row counts for a scope's row."""
    if (row["window_seconds"], row["window_start"]) != (scope["window_seconds"], scope["window_start"]):
        return False
    team, site = PEOPLE[row["scope_id"]]
    return bool(scope["scope_id"] == {ScopeType.TEAM: team, ScopeType.SITE: site}.get(scope["scope_type"], ACCOUNT))
