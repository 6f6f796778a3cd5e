"""What the group's coordinator refuses is told with what mends it."""

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownError,
)

from streams.engine.errors import EngineError, WrongUseError
from streams.engine.group import REFUSALS, refused
from streams.engine.options import EngineOptions

OPTIONS = EngineOptions(brokers="127.0.0.1:9092", group="calls", slot="0", session_timeout_seconds=5)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidSessionTimeoutError(), "refuse a session timeout of 5 seconds"),
        (InconsistentGroupProtocolError(), "Consumers of another kind are in the group calls"),
        (GroupAuthorizationFailedError("calls"), "may not use the group calls"),
        (TopicAuthorizationFailedError("events"), "the group calls needs Read and Describe"),
    ],
)
def test_a_refusal_that_can_be_mended_is_wrong_use(error: KafkaError, said: str) -> None:
    """Exit code 2 and what to change."""
    failure = refused(error, OPTIONS)
    assert isinstance(failure, WrongUseError)
    assert said in str(failure)


def test_any_other_refusal_is_a_problem_and_is_named() -> None:
    """Exit code 1, Kafka's own name of it."""
    failure = refused(UnknownError("what"), OPTIONS)
    assert (type(failure), failure.exit_code) == (EngineError, 1)
    assert "UnknownError" in str(failure)


def test_only_refusals_that_stay_are_in_the_table() -> None:
    """What aiokafka tries again by itself is no reason to stop."""
    assert not any(error.retriable for error in REFUSALS)
