"""The fold and the offline reading say of each call what the rules say, and either is heard when it does not."""

from typing import Any

import pytest

from tests.accuracy.compare import as_record
from tests.builders import T0, fold
from tests.oracle.reading import Expected, read
from tests.scenarios import calls, lost_posts
from tests.scenarios.calls import Case

Records = dict[str, dict[str, Any]]
CASES = {**calls.CASES, **lost_posts.CASES}
BY_ARRIVAL = frozenset(("LATE_AMENDED", "MERGED"))


def name_of(record: dict[str, Any]) -> str:
    """Return the name of a leg in a case."""
    extension = record["extension_key"].partition("*")[2]
    return f"{record['call_id']} {record['direction']}" + ("" if extension == "101" else f" {extension}")


def folded(case: Case) -> tuple[Records, list[str]]:
    """Return the last record of each leg, and the types of the call events."""
    result = fold(case.posts, until=case.until)
    return {name_of(record): record for record in result.last("CallRecord")}, result.told()


def concluded(case: Case) -> dict[str, Expected]:
    """Return the legs of the offline reading."""
    return {name_of(as_record(leg)): leg for leg in read(case.posts, T0 + case.until)}


def differences(wanted: dict[str, Any], record: dict[str, Any]) -> list[str]:
    """Return the fields in which a record is not what the case says."""
    found = []
    for name, value in wanted.items():
        mine = sorted(record[name]) if name == "quality" else record[name]
        if mine != value:
            found.append(f"{name}: {value} is told as {mine}")
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_records_say_what_the_rules_say(name: str) -> None:
    """No leg more or less, and every field that the case names."""
    case = CASES[name]()
    records, told = folded(case)
    assert sorted(records) == sorted(case.legs)
    assert {leg: found for leg, wanted in case.legs.items() if (found := differences(wanted, records[leg]))} == {}
    assert not case.told or told == case.told
    assert all(record["is_final"] for record in records.values())


@pytest.mark.parametrize("name", CASES)
def test_the_offline_reading_agrees(name: str) -> None:
    """The second reading concludes the same; flags that tell how a record came about are not its matter."""
    case = CASES[name]()
    legs = concluded(case)
    assert sorted(legs) == sorted(case.legs)
    for leg, wanted in case.legs.items():
        plain = {field: value for field, value in wanted.items() if field != "quality"}
        assert differences(plain, as_record(legs[leg])) == []
        if "quality" in wanted:
            flags = legs[leg].flags
            assert flags.must <= set(wanted["quality"]) <= flags.may
            assert flags.must == set(wanted["quality"]) - BY_ARRIVAL


def test_a_wrong_record_is_complained_of() -> None:
    """The comparison can fail."""
    wanted = CASES["conference"]().legs["s-1 INBOUND"]
    record = {**wanted, "quality": [], "talk_ms": 1}
    assert differences(wanted, record) == ["talk_ms: 26000 is told as 1"]
