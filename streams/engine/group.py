"""What the group's coordinator may refuse a worker for, and what to do about it.

aiokafka keeps such an error for whoever fetches next. A worker that was never given a partition fetches nothing, so
without a look at it the worker would wait for ever, and be silent.
"""

from collections.abc import Callable, Mapping

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from streams.engine.errors import EngineError, WrongUseError
from streams.engine.options import EngineOptions

LOOK_SECONDS = 1.0
"""Between two looks at the coordinator."""

REFUSALS: Mapping[type[KafkaError], Callable[[EngineOptions], str]] = {
    InvalidSessionTimeoutError: lambda options: (
        f"The brokers refuse a session timeout of {options.session_timeout_seconds:g} seconds: see their"
        " group.min.session.timeout.ms and group.max.session.timeout.ms, and set session_timeout_seconds between them."
    ),
    InconsistentGroupProtocolError: lambda options: (
        f"Consumers of another kind are in the group {options.group}: end them, or run the workers in a group of their"
        " own."
    ),
    GroupAuthorizationFailedError: lambda options: (
        f"This worker may not use the group {options.group}: it needs the permission Read on it."
    ),
    TopicAuthorizationFailedError: lambda options: (
        f"This worker may not read its input topics: the group {options.group} needs Read and Describe on them."
    ),
}
"""What to say of the refusals that a change of settings or permissions mends."""


def refused(error: KafkaError, options: EngineOptions) -> EngineError:
    """Return why the worker has to stop: wrong use where it can be mended by whoever runs it."""
    sentence = REFUSALS.get(type(error))
    if sentence is not None:
        return WrongUseError(sentence(options))
    return EngineError(f"The group's coordinator refuses this worker: {error!r}.")
