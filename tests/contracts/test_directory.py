"""The directory: rows found by extension key or by ids, joined into events (CONTRACT 2 topic 13, DECISIONS 47)."""

import json
from typing import Any

import pytest

from streams.contracts.directory import Directory, read_directory
from streams.contracts.directory_rows import DirectoryError, DirectoryRow
from tests.builders import LOGIN, Json, fold
from tests.builders import Tab as PageLoad


def a_row(**changes: Any) -> Json:
    """Return a row as it stands on the topic."""
    return {"account_id": "1", "extension_id": "7", "login_number": LOGIN, "team": "sales", **changes}


def directory_of(*rows: Json) -> Directory:
    """Return the directory of these rows."""
    return read_directory(json.dumps(row).encode() for row in rows)


def test_a_row_is_found_by_its_key_and_by_its_ids() -> None:
    """Ids that nobody listed are nobody's."""
    directory = directory_of(a_row(queues=["9"], site="north", time_zone="Europe/Berlin"))
    assert directory.key_of("1", "7") == LOGIN
    joined = directory.join(LOGIN)
    assert (joined["team"], joined["site"], joined["queues"]) == ("sales", "north", ["9"])
    assert joined["time_zone"] == "Europe/Berlin"
    assert directory.key_of("1", "8") is None
    assert directory.key_of(None, None) is None
    assert directory.join("+16505550100*102") == {}


def test_a_person_is_never_joined_into_an_event() -> None:
    """The directory knows a token of the person; events carry the extension only."""
    assert "person" not in directory_of(a_row(person="p1")).join(LOGIN)


def test_the_login_number_is_normalised() -> None:
    """With or without plus it is one key."""
    assert directory_of(a_row(login_number=LOGIN[1:])).key_of("1", "7") == LOGIN


@pytest.mark.parametrize("changes", [{"login_number": "*101"}, {"login_number": None}, {"extension_id": None}])
def test_a_row_without_a_key_joins_nothing(changes: Json) -> None:
    """The account's own row, and rows whose number is none."""
    directory = directory_of(a_row(**changes))
    assert directory.join(LOGIN) == {}
    assert directory.key_of("1", "7") is None


def test_the_last_row_of_an_extension_counts() -> None:
    """As on the compacted topic; another content is another version."""
    directory, before = directory_of(a_row(), a_row(team="service")), directory_of(a_row())
    assert directory.join(LOGIN)["team"] == "service"
    assert directory.join(LOGIN)["directory_version"] != before.join(LOGIN)["directory_version"]


@pytest.mark.parametrize("now", ["+16505550100*102", "*101", None])
def test_an_extension_that_changed_its_number_leaves_the_old_one(now: str | None) -> None:
    """Whoever has the number next must not be counted in the team of the one before."""
    directory = directory_of(a_row(), a_row(login_number=now))
    assert directory.join(LOGIN) == {}
    assert directory.key_of("1", "7") == (now if now and now[0] == "+" else None)


def test_a_number_that_went_to_somebody_else_stays_his() -> None:
    """The old owner's later row takes nothing from the new one."""
    directory = directory_of(a_row(), a_row(extension_id="8", team="service"), a_row(login_number="+16505550100*102"))
    assert directory.join(LOGIN)["team"] == "service"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{no", "Line 2 of the directory is no JSON."),
        (b"[]", "Line 2 of the directory"),
        (b'{"extension_id": "Jo Doe"}', "account_id"),
        (b'{"account_id": "1", "queues": "Jo Doe"}', "queues"),
        (b'{"account_id": "1", "queue_names": {"Jo Doe": 5}}', "queue_names"),
        (b'{"account_id": "1", "team": {"name": "Jo Doe"}}', "team"),
    ],
)
def test_a_line_that_is_no_row_is_named_without_its_values(line: bytes, told: str) -> None:
    """By its number and its field."""
    with pytest.raises(DirectoryError) as error:
        read_directory([json.dumps(a_row()).encode(), line])
    assert told in str(error.value)
    assert "Line 2" in str(error.value)
    assert "Jo Doe" not in str(error.value)


def test_empty_lines_are_passed_over() -> None:
    """A file may end in one."""
    assert read_directory([b"", b" \n", json.dumps(a_row()).encode() + b"\n"]).key_of("1", "7") == LOGIN


def test_unknown_fields_of_a_row_are_allowed() -> None:
    """Whoever fills the directory may know more than we do."""
    assert DirectoryRow.model_validate(a_row(shoe_size=42)).team == "sales"


def test_ids_name_the_user_where_no_login_does() -> None:
    """The last of the ways of CONTRACT 4, and what it finds is joined into the event."""
    tab = PageLoad(login=None)
    envelope = {**tab.route(0), "account_id": "1", "extension_id": "7"}
    (event,) = fold([envelope], directory=directory_of(a_row())).of("EnrichedEvent")
    assert (event["extension_key"], event["identity"], event["team"]) == (LOGIN, "DIRECTORY", "sales")
