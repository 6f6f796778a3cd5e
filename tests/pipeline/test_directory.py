"""The directory: users found by ids, what waits is woken, queues by name, and a proof that takes it as recorded."""

import json
from dataclasses import replace

import pytest

from streams.contracts.avro import codec
from streams.contracts.directory import Directory, read_directory, take_record
from streams.contracts.directory_rows import DirectoryError, read_row
from streams.pipeline.proof import Recorded, expect_sessions
from streams.pipeline.recorded import RecordedDirectory
from streams.pipeline.records import Folded, Mark, Written
from streams.pipeline.sessions import SessionsPartition
from tests.builders import HOUR, KEY, LOGIN, T0, Json, Tab, a_plan, fold, reads

ROW: Json = {
    "account_id": "16",
    "extension_id": "1016",
    "login_number": LOGIN,
    "team": "support",
    "queues": ["q-1"],
}
ACCOUNT: Json = {
    "account_id": "16",
    "extension_id": None,
    "time_zone": "Europe/Berlin",
    "queue_names": {"q-1": "Support", "q-2": "Sales", "q-3": "sales - "},
}


def a_directory(*rows: Json) -> Directory:
    """Return a directory of rows."""
    return read_directory((json.dumps(row).encode() for row in rows), KEY)


def a_stranger() -> Tab:
    """Return a page load whose login is not known."""
    return Tab(login=None)


def test_ids_of_a_telephony_session_find_the_user() -> None:
    """An event that carries account and extension id belongs to whom the directory knows by them (CONTRACT 4)."""
    result = fold([a_stranger().call().telephony("Setup", 0)], directory=a_directory(ROW, ACCOUNT))
    (event,) = result.of("EnrichedEvent")
    assert (event["extension_key"], event["identity"], event["team"]) == (LOGIN, "DIRECTORY", "support")
    assert event["time_zone"] == "Europe/Berlin"


def test_ids_once_known_serve_the_whole_page_load() -> None:
    """What waited is released before, what follows needs no ids of its own (DECISIONS 23)."""
    tab = a_stranger()
    call = tab.call()
    posts = [call.ring(0), call.telephony("Setup", 50), call.start(3_000)]
    result = fold(posts, directory=a_directory(ROW))
    assert [event["sequence"] for event in result.of("EnrichedEvent")] == [1, 2, 3]
    assert result.told() == ["RANG", "ANSWERED"]


def test_ids_that_the_directory_does_not_know_are_no_key() -> None:
    """Without a row the event waits and is refused (DECISIONS 23)."""
    result = fold([a_stranger().call().telephony("Setup", 0)], until=60_000)
    assert result.summary["dead_letters"] == {"MISSING_EXTENSION": 1}


@pytest.mark.parametrize(("name", "queue"), [("support - ", "q-1"), ("Sales - ", None), ("Other - ", None)])
def test_a_queue_is_found_by_its_name_if_it_is_the_only_one(name: str, queue: str | None) -> None:
    """Names are compared without case and the widget's ending; none or several give no queue (DECISIONS 41, 47)."""
    call = Tab().call(flags={"callQueueName": name})
    result = fold([call.ring(0), call.end(2_000)], directory=a_directory(ROW, ACCOUNT))
    assert (result.record()["queue_call"], result.record()["queue"]) == (True, queue)


class Live:
    """A sessions stage whose directory gets rows while it runs, and what it wrote."""

    def __init__(self) -> None:
        """Begin with an empty directory."""
        self.directory = Directory(KEY)
        self.plan = a_plan(directory=self.directory)
        self.stage = SessionsPartition(self.plan, 0, {})
        self.written: list[Written] = []
        self.marks: list[Mark] = []

    def take(self, folded: Folded | None) -> None:
        """Keep what was written."""
        assert folded is not None
        self.written += folded.outputs
        if folded.mark is not None:
            self.marks.append(folded.mark)

    def rows(self) -> list[Json]:
        """Return the enriched events."""
        topic = self.plan.names["EnrichedEvent"]
        return [codec("EnrichedEvent").decode(item.value or b"") for item in self.written if item.topic == topic]


def a_live_story() -> tuple[Live, list[Json]]:
    """Return a stage that woke what waited at its second mark, and the envelopes."""
    tab, live = a_stranger(), Live()
    call = tab.call()
    posts = [call.telephony("Setup", 0), call.ring(100), call.start(9_000)]
    records = reads(posts)
    live.take(live.stage.fold(records[:2]))
    live.take(live.stage.mark(None, 2))
    live.directory.add(read_row(json.dumps(ROW).encode()))
    live.take(live.stage.mark(T0 + 4_000, 2))
    live.take(live.stage.fold(records[2:]))
    live.take(live.stage.mark(T0 + 60_000, 3))
    return live, posts


def test_a_new_row_wakes_what_waits() -> None:
    """At the next mark the waiting events are admitted in their order; the record says when."""
    live, _ = a_live_story()
    assert [row["sequence"] for row in live.rows()] == [1, 2, 3]
    assert [row["released_at"] for row in live.rows()] == [T0 + 4_000, T0 + 4_000, None]


def test_a_new_row_finds_a_page_load_gone_that_is_forgotten_in_the_same_tick() -> None:
    """A day of silence is over in the tick that looks for what the new row wakes."""
    live = Live()
    live.take(live.stage.fold(reads([Tab().route(0)])))
    live.take(live.stage.mark(None, 1))
    live.directory.add(read_row(json.dumps(ROW).encode()))
    live.take(live.stage.mark(T0 + 26 * HOUR, 1))
    assert live.stage.store.keys(b"P") == []


def test_a_proof_takes_the_directory_as_recorded() -> None:
    """Folded again with the directory's answers of then, the sessions stage writes the same records."""
    live, posts = a_live_story()
    plan = replace(live.plan, directory=RecordedDirectory(live.rows()))
    expected = expect_sessions(plan, 0, Recorded(reads(posts), live.marks, 3, 3))
    assert expected.records == live.written


def test_a_proof_without_the_recorded_directory_differs() -> None:
    """The comparison can fail: with an empty directory the events are refused."""
    live, posts = a_live_story()
    expected = expect_sessions(a_plan(), 0, Recorded(reads(posts), live.marks, 3, 3))
    assert expected.records != live.written


def test_a_record_without_value_takes_its_row_back() -> None:
    """A tombstone of the topic removes the row of its key."""
    directory = a_directory(ROW)
    take_record(directory, b"16/1016", None)
    assert directory.key_of("16", "1016", {}) is None


@pytest.mark.parametrize(("line", "complaint"), [(b"{", "no JSON"), (b'{"team": 1}', "account_id")])
def test_a_line_that_is_no_row_is_named(line: bytes, complaint: str) -> None:
    """A wrong row says which line and field, never a value."""
    with pytest.raises(DirectoryError, match=complaint):
        read_directory([line])
