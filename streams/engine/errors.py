"""Why a worker stops, or drops what it holds and waits; the texts are for whoever is on call.

Each error that ends the process carries its exit code: 1 a problem, 2 wrong use, 3 a service is unreachable.
"""

from typing import ClassVar

from aiokafka.errors import KafkaError


class EngineError(Exception):
    """The engine cannot go on; the text says why and what to do."""

    exit_code: ClassVar[int] = 1


class MembershipLostError(EngineError):
    """The group no longer counts this worker in its generation: what is not committed is dropped, nothing is wrong."""


class FencedError(EngineError):
    """Somebody else took this worker's name: its transactional id or its group instance id."""


class StateError(EngineError):
    """State and offsets on the cluster do not belong together."""


class FoldError(EngineError):
    """A stage raised an exception: a bug, nothing of the batch was committed."""


class OutputTooLargeError(EngineError):
    """A stage gave out a record that Kafka would refuse."""


class WrongUseError(EngineError):
    """An option or the cluster's topics do not fit."""

    exit_code = 2


class BrokerTooOldError(WrongUseError):
    """The broker cannot fence a transaction by consumer group (KIP-447)."""


class UnreachableError(EngineError):
    """No broker answers, or the brokers do not finish what was asked."""

    exit_code = 3


def failure_of(error: BaseException) -> EngineError:
    """Return the error that a worker stops with because of this one."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, KafkaError) and getattr(error, "retriable", False):
        return UnreachableError(f"Kafka did not answer: {error!r}.")
    return EngineError(f"Unexpected: {error!r}.")
