"""Envelopes of calls that every kind of witness tells, with messages between them: what is hardest to fold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from tests.accuracy.centre import START, Centre, a_centre
from tests.accuracy.longer_stories import STORIES
from tests.accuracy.office import Agent, Event
from tests.accuracy.transport import deliver
from tests.bench.traffic import SEED, Sent

MESSAGE_EVERY_MS = 240_000


@dataclass(frozen=True)
class Witnesses:
    """A call centre with web phones, desk phones and RingOut, told of by all witnesses; the same every time."""

    legs: int

    def records(self) -> Iterator[Sent]:
        """Give the records in the order of their arrival."""
        centre = a_centre(SEED, self.legs, STORIES)
        post_messages(centre)
        for envelope in deliver(centre):
            key = str(envelope["session_id"]).encode()
            yield Sent(envelope["received_at"], key, orjson.dumps(envelope), envelope["event"]["type"])


def post_messages(centre: Centre) -> None:
    """Let a message come to everyone now and then; every tab tells it, and again when it was read."""
    for agent in centre.agents:
        for number, at in enumerate(range(START + MESSAGE_EVERY_MS, agent.now, MESSAGE_EVERY_MS)):
            for load in agent.loads:
                load.post(at + 200, a_message(agent, centre.number(), number, at, "rc-inbound-message-notify"))
                load.post(at + 30_000, a_message(agent, "", number, at, "rc-message-updated-notify"))


def a_message(agent: Agent, sender: str, number: int, at: int, event_type: str) -> Event:
    """Return what the widget posts of an SMS (SPEC 3.8)."""
    is_read = event_type == "rc-message-updated-notify"
    return {
        "type": event_type,
        "message": {
            "id": int(agent.extension_id) * 1_000 + number,
            "uri": f"https://platform.ringcentral.com/restapi/v1.0/account/1/extension/{agent.extension_id}/message-store",
            "type": "SMS",
            "direction": "Inbound",
            "readStatus": "Read" if is_read else "Unread",
            "messageStatus": "Received",
            "availability": "Alive",
            "creationTime": iso(at),
            "lastModifiedTime": iso(at + (29_000 if is_read else 0)),
            "from": {"phoneNumber": sender} if sender else None,
            "to": [{"phoneNumber": agent.login.split("*")[0]}],
            "subject": "Please call me back",
        },
    }


def iso(at: int) -> str:
    """Return an instant as RingCentral writes it."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
