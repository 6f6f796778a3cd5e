"""What never leaves the page (SPEC 8): every collected widget event goes through a real browser, and is looked for."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.ledger import Ledger, all_of
from tests.browser.tabs import Event, mark
from tests.scenarios.book import ABSENT, FIXTURES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(60),
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=ABSENT),
]
SECRET: Final = {"oAuthUri", "voiceCallToken", "sipData", "mobilePickupData", "fromTag", "toTag", "deviceId"}
FILES: Final = {"attachments", "recordings", "recording"}
PERSONAL: Final = {"name", "fromName", "toName", "fromUserName", "toUserName", "contactMatch", "location", "fileName"}
TEXTS: Final = {"subject", "coverPageText"}
HARMLESS: Final = {"-", "101", "102", "108", "true", "false", "Ada", "", "x", "4"}
"""Values of secret fields that stand elsewhere too, or are no values."""


def fixtures() -> list[Event]:
    """Return all collected events that the collector takes, those of other types too."""
    events = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.rglob("rc-*.json"))]
    return [event for event in events if re.fullmatch(r"rc-(?!adapter-|brand|message-thread).*-notify", event["type"])]


def leaves(value: Any) -> Iterator[str]:
    """Give all texts and numbers inside a value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def found(value: Any, names: set[str]) -> Iterator[str]:
    """Give what stands under fields of these names, wherever they are."""
    if isinstance(value, list):
        for item in value:
            yield from found(item, names)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in names:
                yield from leaves(inner)
            else:
                yield from found(inner, names)


def addresses(value: Any, in_file: bool = False) -> Iterator[str]:
    """Give the addresses of files, wherever they are."""
    if isinstance(value, list):
        for item in value:
            yield from addresses(item, in_file)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if in_file and isinstance(inner, str) and inner.startswith("http"):
                yield inner
            yield from addresses(inner, in_file or name in FILES)


def test_the_sample_has_what_is_looked_for() -> None:
    """The bad sample: unscrubbed, these events do hold secrets, addresses of files, names and texts."""
    events = fixtures()
    assert len(events) > 100
    assert len(set(found(events, SECRET)) - HARMLESS) > 20
    assert len(set(addresses(events))) > 5
    assert len(set(found(events, PERSONAL)) - HARMLESS) > 20
    assert len(set(found(events, TEXTS)) - HARMLESS) > 5


def test_no_secret_of_any_collected_event_is_sent(tab: OpenTab, ledger: Ledger) -> None:
    """Secrets, addresses of files, names and texts stay in the page; the gateway hides what has to go."""
    events = fixtures()
    opened = tab()
    opened.post(events)
    ledger.wait_for(all_of(opened.posted), 30)
    for envelope, event in zip(ledger.envelopes, events, strict=True):
        sent = set(leaves(envelope["event"]))
        own = set(leaves({name: value for name, value in event.items() if name == "type"}))
        hidden = {*found(event, SECRET | PERSONAL | TEXTS), *addresses(event)} - HARMLESS - own
        # A person's name or a text may be a word that stands elsewhere in the event, rightly.
        elsewhere = set(leaves(without(event, SECRET | PERSONAL | TEXTS)))
        assert not (hidden - elsewhere) & sent, event["type"]
    text = b"".join(request.text for request in ledger.requests).decode()
    assert not re.search(r"access_token|\"(" + "|".join(SECRET - {"oAuthUri"}) + r")\"", text)
    assert set(re.findall(r'"oAuthUri":([^,}]+)', text)) == {"true"}


def without(value: Any, names: set[str]) -> Any:
    """Return a value without the fields of these names, wherever they are."""
    if isinstance(value, list):
        return [without(item, names) for item in value]
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return value


def test_what_joins_need_is_sent(tab: OpenTab, ledger: Ledger) -> None:
    """Ids, numbers, flags and instants of a call pass as they were posted; a text becomes its length."""
    call = {
        "id": "753038-tag",
        "callId": "753038",
        "fromTag": "tag",
        "from": "+14155550123",
        "to": "16505550100*101",
        "fromUserName": "Caller One",
        "callQueueName": "Sales - ",
        "partyData": {"partyId": "p-1-2", "sessionId": "s-1"},
        "contactMatch": {"id": "7", "name": "Ada"},
    }
    message = {"id": 7, "type": "SMS", "subject": "Tea at five?", "uri": "https://host/account/1/extension/2/?token=3"}
    opened = tab()
    opened.post(
        [{"type": "rc-call-ring-notify", "call": call}, {"type": "rc-message-updated-notify", "message": message}]
    )
    ledger.wait_for(all_of(opened.posted))
    ring, updated = (envelope["event"] for envelope in ledger.envelopes)
    assert ring["call"] == {
        name: call[name] for name in call if name not in ("fromTag", "fromUserName", "contactMatch")
    }
    assert updated["message"] == {**message, "subject": 12, "uri": "https://host/account/1/extension/2/"}


def test_personal_data_is_kept_when_that_is_wanted(tab: OpenTab, ledger: Ledger) -> None:
    """data-personal-data="keep" sends names and texts; secrets stay all the same."""
    opened = tab(**{"personal-data": "keep"})
    message = {"id": 7, "type": "SMS", "subject": "Tea at five?", "from": {"name": "Ada", "deviceId": "9"}}
    opened.post([{"type": "rc-message-updated-notify", "message": message}])
    ledger.wait_for(all_of(opened.posted))
    assert ledger.envelopes[0]["event"]["message"] == {**message, "from": {"name": "Ada"}}


def test_the_disk_holds_no_more_than_is_sent(tab: OpenTab, ledger: Ledger) -> None:
    """What waits in the browser's database is scrubbed already."""
    ledger.down()
    opened = tab()
    opened.post(
        [mark({"type": "rc-call-ring-notify", "call": {"id": "c", "fromTag": "tag-secret", "fromUserName": "Ada"}})]
    )
    opened.until("status.in_memory === 0 && status.captured === 1")
    stored = opened.page.evaluate(
        """async () => { const [{name}] = await indexedDB.databases();
             const opening = indexedDB.open(name); await new Promise((done) => { opening.onsuccess = done; });
             const reading = opening.result.transaction('queue').objectStore('queue').getAll();
             await new Promise((done) => { reading.onsuccess = done; }); return JSON.stringify(reading.result); }"""
    )
    assert "rc-call-ring-notify" in stored
    assert "tag-secret" not in stored
    assert "Ada" not in stored
