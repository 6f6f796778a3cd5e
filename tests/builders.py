"""Builders of what tests are about: page loads and their posts, legs and what is told of them, folds and their rows.

All times are true milliseconds after T0; a page load's clock is `skew_ms` ahead of it.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from streams.contracts.avro import codec
from streams.contracts.enriched import watermark_row
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.domain.instants import Instant
from streams.domain.legs.advance import advance
from streams.domain.legs.evidence import Kind, Leg, Sighting
from streams.domain.legs.records import NO_DIRECTORY
from streams.domain.legs.resolve import resolve
from streams.domain.legs.tell import tell
from streams.domain.outputs import Output
from streams.domain.words import Direction, Witness
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.fold import Fold
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, Read, Tally, Written
from streams.pipeline.sessions import SessionsPartition
from streams.pipeline.writer import Writer

T0 = 1_772_442_000_000
LOGIN = "+16505550100*101"
KEY = TokenKey(DEVELOPMENT_KEY)
HOUR = 3_600_000
Json = dict[str, Any]


def a_uuid(*parts: object) -> str:
    """Return an id, the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def a_plan(**changes: Any) -> Plan:
    """Return the plan of an installation with one partition."""
    return Plan(**{"token_key": KEY, "partitions": 1, **changes})


@dataclass
class Tab:
    """A page load that runs the collector; each post takes the next sequence number."""

    name: str = "A"
    login: str | None = LOGIN
    skew_ms: int = 0
    delay_ms: int = 40
    sequence: int = 0

    @property
    def session_id(self) -> str:
        """The id of the page load."""
        return a_uuid(self.name)

    def post(self, event: object, at: int, *, sent: int | None = None, **changes: Any) -> Json:
        """Return the envelope of an event; a change of None leaves the field out."""
        self.sequence += 1
        sent = at if sent is None else sent
        envelope = {
            "envelope": 1,
            "event_id": a_uuid(self.name, self.sequence),
            "session_id": self.session_id,
            "sequence": self.sequence,
            "captured_at": T0 + at + self.skew_ms,
            "sent_at": T0 + sent + self.skew_ms,
            "received_at": T0 + sent + self.delay_ms,
            "login_number": self.login,
            "event": event,
        }
        return {name: value for name, value in {**envelope, **changes}.items() if value is not None}

    def lose(self, posts: int = 1) -> None:
        """Count posts that never arrive."""
        self.sequence += posts

    def say(self, kind: str, at: int, **fields: Any) -> Json:
        """Post a flat event."""
        return self.post({"type": kind, **fields}, at)

    def route(self, at: int, path: str = "/dialer") -> Json:
        """Post a route."""
        return self.say("rc-route-changed-notify", at, path=path)

    def logs_in(self, at: int, number: str | None = LOGIN) -> Json:
        """Post a login."""
        told = {} if number is None else {"loginNumber": number}
        return self.say("rc-login-status-notify", at, loggedIn=True, **told)

    def logs_out(self, at: int) -> Json:
        """Post a logout."""
        return self.say("rc-login-status-notify", at, loggedIn=False)

    def presence(
        self,
        at: int,
        telephony: str | None = "NoCall",
        user: str | None = "Available",
        dnd: str | None = "TakeAllCalls",
    ) -> Json:
        """Post a presence."""
        return self.say("rc-adapter-syncPresence", at, telephonyStatus=telephony, userStatus=user, dndStatus=dnd)

    def message(
        self, at: int, *, kind: str = "updated", number: int = 1, changed: int | None = None, **fields: Any
    ) -> Json:
        """Post a message of 0 that was changed last when it is posted, or as said."""
        message = {
            "id": 900 + number,
            "uri": f"https://platform.example/restapi/v1.0/account/16/extension/1016/message-store/{900 + number}",
            "type": "SMS",
            "direction": "Inbound",
            "readStatus": "Unread",
            "messageStatus": "Received",
            "availability": "Alive",
            "creationTime": iso(T0),
            "lastModifiedTime": iso(T0 + (at if changed is None else changed)),
            "from": {"phoneNumber": "+14155550142"},
            "to": [{"phoneNumber": "+16505550100"}],
            "subject": "a text",
            **fields,
        }
        return self.say(
            f"rc-{'inbound-message' if kind == 'inbound' else 'message-updated'}-notify", at, message=message
        )

    def call(self, number: int = 1, **about: Any) -> "Call":
        """Return a browser call of this page load; calls of one number in several tabs are one leg."""
        return Call(self, number, **about)


@dataclass
class Call:
    """A call of the web phone as one page load posts it."""

    tab: Tab
    number: int = 1
    direction: str = "Inbound"
    remote: str = "+14155550142"
    dialog: str | None = None
    created: int | None = None
    answered: int | None = None
    flags: Json = field(default_factory=dict)
    party: bool = True

    def says(self, kind: str, at: int, **fields: Any) -> Json:
        """Post an event of the rc-call-* family; instants among the fields are on the browser's clock."""
        self.created = at if self.created is None else self.created
        ids = {"partyId": f"p-{self.number}-1", "sessionId": f"s-{self.number}"}
        call = {
            "id": self.dialog or f"dialog-{self.tab.name}-{self.number}",
            "direction": self.direction,
            "from": self.remote if self.direction == "Inbound" else "16505550100*101",
            "to": "101" if self.direction == "Inbound" else self.remote,
            "creationTime": self.clock(self.created),
            "partyData": ids if self.party else None,
            **({"startTime": self.clock(self.answered)} if self.answered is not None else {}),
            **self.flags,
            **fields,
        }
        return self.tab.post({"type": f"rc-call-{kind}-notify", "call": call}, at)

    def clock(self, at: int) -> int:
        """Return what the browser's clock said."""
        return T0 + at + self.tab.skew_ms

    def ring(self, at: int) -> Json:
        """Post that it rings."""
        return self.says("ring", at)

    def init(self, at: int) -> Json:
        """Post that it is dialled; nothing is known of the other side's ids yet."""
        return self.says("init", at, partyData=None)

    def start(self, at: int) -> Json:
        """Post that it is answered."""
        self.answered = at
        return self.says("start", at)

    def hold(self, at: int, **fields: Any) -> Json:
        """Post a hold."""
        return self.says("hold", at, **{"isOnHold": True, **fields})

    def resume(self, at: int) -> Json:
        """Post the end of a hold."""
        return self.says("resume", at)

    def mute(self, at: int, *, on: bool = True) -> Json:
        """Post a mute, or the end of one."""
        return self.says("mute", at, isOnMute=on)

    def end(self, at: int, **fields: Any) -> Json:
        """Post the end."""
        return self.says("end", at, endTime=self.clock(at), **fields)

    def active(self, status: str, at: int, *, kind: str = "active", **fields: Any) -> Json:
        """Post what presence lists of the call; its start is the server's."""
        self.created = at if self.created is None else self.created
        inbound = self.direction == "Inbound"
        call = {
            "sessionId": str(700_000 + 10_000 * self.number),
            "telephonySessionId": f"s-{self.number}",
            "partyId": f"p-{self.number}-1",
            "direction": self.direction,
            "from": {"phoneNumber": self.remote if inbound else "+16505550100"},
            "to": {"phoneNumber": "+16505550100" if inbound else self.remote},
            "telephonyStatus": status,
            "startTime": T0 + self.created,
            "offset": 0,
            **({"terminationType": "final"} if status == "NoCall" else {}),
            **fields,
        }
        return self.tab.post({"type": f"rc-{kind}-call-notify", "call": call}, at)

    def telephony(self, code: str, at: int, *, reason: str | None = None, others: Any = (), **party: Any) -> Json:
        """Post the telephony session with the own party in a status; others are (number, code) of other parties."""
        self.created = at if self.created is None else self.created
        own = self._party(1, code, reason) | {"extensionId": "1016", "accountId": "16"} | party
        session = {
            "id": f"s-{self.number}",
            "sessionId": str(700_000 + 10_000 * self.number),
            "extensionId": "1016",
            "accountId": "16",
            "creationTime": iso(T0 + self.created),
            "origin": {"type": "Call"},
            "parties": [own, *(self._party(number, status, None) for number, status in others)],
        }
        return self.tab.post({"type": "rc-telephony-session-notify", "telephonySession": session}, at)

    def _party(self, number: int, code: str, reason: str | None) -> Json:
        inbound = self.direction == "Inbound"
        return {
            "id": f"p-{self.number}-{number}",
            "direction": self.direction if number == 1 else "Outbound" if inbound else "Inbound",
            "from": {"phoneNumber": self.remote if inbound else "+16505550100"},
            "to": {"phoneNumber": "+16505550100" if inbound else self.remote},
            "status": {"code": code, **({"reason": reason} if reason else {})},
            "muted": False,
            "missedCall": False,
        }


def iso(at: int) -> str:
    """Return an instant as the server writes it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(envelope: Json | bytes) -> bytes:
    """Return the line of an envelope for a fold; Kafka's time stamp is the arrival."""
    if isinstance(envelope, bytes):
        return envelope
    return json.dumps({**envelope, "_kafka": {"timestamp": envelope.get("received_at", -1)}}).encode()


def a_read(value: Json | bytes | None, offset: int = 0, **changes: Any) -> Read:
    """Return a record of the topic of widget events."""
    if not isinstance(value, dict):
        return Read(0, offset, -1, None, value)._replace(**changes)
    session = value.get("session_id")
    key = session.encode() if isinstance(session, str) else None
    return Read(0, offset, value.get("received_at", -1), key, json.dumps(value).encode())._replace(**changes)


def reads(envelopes: Iterable[Json | bytes]) -> list[Read]:
    """Return the records of envelopes in order of arrival."""
    return [a_read(envelope, offset) for offset, envelope in enumerate(envelopes)]


class Row(NamedTuple):
    """A record that was written: the name of its Avro record, its key, its row; None is a tombstone."""

    record: str
    key: str | None
    row: Json | None


def rows_of(written: Iterable[Written]) -> list[Row]:
    """Decode what was written."""
    records = {topic: record for record, topic in a_plan().names.items()}
    found = []
    for record in written:
        name = records[record.topic]
        row = None if record.value is None else codec(name).decode(record.value)
        found.append(Row(name, None if record.key is None else record.key.decode(), row))
    return found


@dataclass
class Result:
    """What a fold made of its lines."""

    rows: list[Row]
    summary: Json

    def of(self, record: str) -> list[Json]:
        """Return the rows of a record in the order of writing, tombstones left out."""
        return [row.row for row in self.rows if row.record == record and row.row is not None]

    def last(self, record: str) -> list[Json]:
        """Return the last row of each key, as a compacted topic keeps it."""
        latest = {row.key: row.row for row in self.rows if row.record == record}
        return [row for row in latest.values() if row is not None]

    def record(self) -> Json:
        """Return the last revision of the only leg."""
        (record,) = self.last("CallRecord")
        return record

    def told(self) -> list[str]:
        """Return the types of the call events."""
        return [row["type"] for row in self.of("CallEvent")]

    def audit(self) -> Json:
        """Return the last audit of the only page load."""
        (audit,) = self.last("SessionAudit")
        return audit


def fold(envelopes: Iterable[Json | bytes], until: int | None = None, **plan: Any) -> Result:
    """Fold envelopes in order of arrival, then let time run until `until`."""
    folding = Fold(a_plan(**plan))
    written = list(folding.lines(line(envelope) for envelope in envelopes))
    written += folding.end(None if until is None else T0 + until)
    return Result(rows_of(written), folding.summary())


def an_instant(at: int, tab: str = "A", skew_ms: int = 0) -> Instant:
    """Return an instant read on a page load's clock; no name: the server's."""
    return Instant(T0 + at, T0 + at + skew_ms, tab)


def a_leg(direction: Direction = Direction.INBOUND, **changes: Any) -> Leg:
    """Return a leg of which nothing was told."""
    given = {"leg_id": "leg", "extension_key": LOGIN, "directory": dict(NO_DIRECTORY), **changes}
    return Leg(direction=direction, **given)


def a_sighting(kind: Kind, at: int, tab: str = "A", **changes: Any) -> Sighting:
    """Return what a post of the web phone says."""
    given = {
        "witness": Witness.WEB_PHONE,
        "session_id": tab,
        "sequence": None,
        "dialog": f"dialog-{tab}",
        "direction": Direction.INBOUND,
        **changes,
    }
    return Sighting(kind=kind, at=an_instant(at, tab), posted=an_instant(at, tab), **given)


class Both:
    """Both stages over one partition, with state that can be saved and opened again between batches."""

    def __init__(self, **plan: Any) -> None:
        """Begin with empty state."""
        self.plan = a_plan(**plan)
        self.saved: dict[str, dict[bytes, bytes]] = {"sessions": {}, "extensions": {}}
        self.written: list[Written] = []
        self.tally = Tally()
        self._offset = 0
        self.reopen()

    def reopen(self) -> None:
        """Open both partitions with the state that was saved."""
        self.sessions = SessionsPartition(self.plan, 0, self.saved["sessions"])
        self.extensions = ExtensionsPartition(self.plan, 0, self.saved["extensions"])

    def take(self, batch: Sequence[Read]) -> None:
        """Fold a batch of envelopes, and what comes of it."""
        self._extend(self._keep("sessions", self.sessions.fold(batch)))

    def until(self, at: int) -> None:
        """Let time pass."""
        folded = self.sessions.mark(T0 + at, 0)
        if folded is not None and folded.mark is not None:
            self._extend(self._keep("sessions", folded))
            self._extend(Writer(self.plan, 0).watermarks(watermark_row([folded.mark._asdict()])))

    @property
    def rows(self) -> list[Row]:
        """Everything that was written, decoded."""
        return rows_of(self.written)

    def _extend(self, written: Sequence[Written]) -> None:
        records = []
        for record in written:
            if record.topic == self.plan.names["EnrichedEvent"]:
                records.append(Read(0, self._offset, -1, record.key, record.value, record.headers))
                self._offset += 1
        self._keep("extensions", self.extensions.fold(records))

    def _keep(self, stage: str, folded: Folded) -> list[Written]:
        for key, value in folded.changes.items():
            if value is None:
                self.saved[stage].pop(key, None)
            else:
                self.saved[stage][key] = value
        self.written += folded.outputs
        self.tally.add(folded.tally)
        return folded.outputs


def watch(leg: Leg, sightings: Sequence[Sighting]) -> list[Json]:
    """Tell a leg, publish after each sighting, and return the call events."""
    events: list[Json] = []
    for sighting in sightings:
        tell(leg, sighting)
        leg.last_news = sighting.at.at
        emitted = advance(leg, resolve(leg), None, sighting.at.at)
        events += [one.row for one in emitted if one.output is Output.CALL_EVENT and one.row is not None]
    return events
