"""The description is valid OpenAPI 3.1, and its records are those of the Avro schemas."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from streams.contracts.schemas import SCHEMAS, file_name
from streams.serve import openapi
from streams.serve.routes import ACTIVITIES, DIRECTIONS, DISPOSITIONS, SCOPES, STATES

EXAMPLES = sorted(
    file for record in openapi.RECORDS for file in (SCHEMAS / "examples" / file_name(record)[:-5]).glob("*.json")
)


def test_the_description_is_valid() -> None:
    """By a validator that is not ours."""
    validate(openapi.document(), cls=OpenAPIV31SpecValidator)


def test_the_validator_complains_of_a_wrong_one() -> None:
    """The check above can fail."""
    wrong = openapi.document()
    wrong["paths"]["/v1/presence"]["get"]["parameters"][0]["in"] = "nowhere"
    with pytest.raises(OpenAPIValidationError):
        validate(wrong, cls=OpenAPIV31SpecValidator)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_examples_of_the_schemas_fit(file: Path) -> None:
    """What is a good record is a good answer."""
    record = next(record for record in openapi.RECORDS if file_name(record)[:-5] == file.parent.name)
    Draft202012Validator(openapi.shapes()[record]).validate(json.loads(file.read_text(encoding="utf-8")))


def test_there_are_examples_of_each_record() -> None:
    """The check above looked at something."""
    assert {file.parent.name for file in EXAMPLES} == {"active-call", "call-record", "interval-metrics", "presence"}


def test_the_words_of_the_filters_are_those_of_the_schemas() -> None:
    """A new word in a schema needs one here."""
    shapes = openapi.shapes()
    words = {
        ("ActiveCall", "state"): {*STATES, "ENDED"},
        ("Presence", "activity"): set(ACTIVITIES),
        ("CallRecord", "direction"): set(DIRECTIONS),
        ("CallRecord", "disposition"): set(DISPOSITIONS),
        ("IntervalMetrics", "scope_type"): {*SCOPES, "UNKNOWN"},
    }
    for (record, field), known in words.items():
        assert set(shapes[record]["properties"][field]["enum"]) == known
