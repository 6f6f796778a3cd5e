"""Options are refused by name when they are out of bounds or do not fit together."""

from dataclasses import fields
from typing import Any

import pytest

from streams.engine.errors import WrongUseError
from streams.engine.options import BOUNDS, EngineOptions, Security


def an_option(**changes: Any) -> EngineOptions:
    """Return options with these changes."""
    return EngineOptions(**{"brokers": "127.0.0.1:9092", "group": "group", "slot": "0", **changes})


def test_every_number_has_bounds_and_defaults_keep_them() -> None:
    """Bounds name options that exist, no number is without, and the defaults are accepted."""
    options = an_option()
    numbers = {item.name for item in fields(options) if isinstance(getattr(options, item.name), int | float)}
    assert numbers == set(BOUNDS)


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_out_of_its_bounds_is_named(name: str) -> None:
    """Below the least and above the greatest value; the bounds themselves are told."""
    low, high = BOUNDS[name]
    for value in (low - 0.001, high + 1):
        with pytest.raises(WrongUseError, match=f"{name} is {value}, it must be from {low} to {high}"):
            an_option(**{name: value})


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - {"heartbeat_seconds", "session_timeout_seconds"}))
def test_the_bounds_themselves_are_allowed(name: str) -> None:
    """Least and greatest value are accepted."""
    for value in BOUNDS[name]:
        assert getattr(an_option(**{name: value}), name) == value


def test_heartbeats_fit_three_times_into_the_session_timeout() -> None:
    """Otherwise one lost heartbeat costs the partitions."""
    assert an_option(session_timeout_seconds=6, heartbeat_seconds=2).heartbeat_seconds == 2
    with pytest.raises(WrongUseError, match="at most a third of session_timeout_seconds, 6"):
        an_option(session_timeout_seconds=6, heartbeat_seconds=2.1)


@pytest.mark.parametrize("name", ["brokers", "group", "slot"])
def test_what_names_the_worker_must_not_be_empty(name: str) -> None:
    """An empty group or slot would share a transactional id with others."""
    with pytest.raises(WrongUseError, match="brokers, group and slot must not be empty"):
        an_option(**{name: ""})


def test_the_transactional_id_is_the_same_after_a_restart() -> None:
    """Group and slot, nothing else: so the next run ends what this one left open."""
    assert an_option(group="calls", slot="w-1").transactional_id == "calls-w-1"
    assert an_option(group="calls", slot="w-1", instance_id="i").transactional_id == "calls-w-1"


def test_a_password_is_not_shown() -> None:
    """Options may be logged; what is secret in them may not."""
    security = Security("SASL_SSL", "SCRAM-SHA-512", "me", "hunter-2")
    assert "hunter-2" not in repr(an_option(security=security))
    assert security.arguments()["sasl_plain_password"] == "hunter-2"
