"""What a worker knows of its commits, its log lines, and the rows of a changelog."""

from typing import NamedTuple

import pytest

from streams.engine.errors import (
    BrokerTooOldError,
    EngineError,
    FencedError,
    FoldError,
    MembershipLostError,
    UnreachableError,
    WrongUseError,
    failure_of,
)
from streams.engine.fencing import Membership, _refusal
from streams.engine.journal import told
from streams.engine.offsets import Committed, Tokens
from streams.engine.reader import _apply
from tests.engine.builders import a_live


def test_tokens_name_their_owner_and_are_never_the_same() -> None:
    """Not even those of another run with the same transactional id."""
    mine, restarted = Tokens("group-w;1"[:7]), Tokens("group-w")
    tokens = [mine.next() for _ in range(50)] + [restarted.next() for _ in range(50)]
    assert len(set(tokens)) == 100
    assert {Committed(1, token).owner for token in tokens} == {"group-w"}


def test_a_commit_of_somebody_else_has_no_owner() -> None:
    """A tool that reset the offsets leaves no token."""
    assert Committed(7, "").owner is None


def test_state_is_kept_only_when_nobody_committed_since() -> None:
    """The same offset is not enough: time can pass in a partition that reads nothing."""
    live = a_live(committed=Committed(5, "me;1-1"))
    assert live.is_what_was(Committed(5, "me;1-1"))
    assert not live.is_what_was(Committed(5, "you;1-1"))
    assert not live.is_what_was(Committed(6, "me;1-1"))


def test_state_with_something_uncommitted_in_it_is_not_kept() -> None:
    """A fold or a tick since the commit would be told twice."""
    live = a_live(committed=Committed(5, "me;1-1"))
    live.version += 1
    assert not live.is_what_was(Committed(5, "me;1-1"))


class Row(NamedTuple):
    """A row of a changelog."""

    key: bytes
    value: bytes | None


def test_the_latest_row_of_a_key_counts_and_a_tombstone_deletes() -> None:
    """Also a tombstone of a key that was never there, and a key that comes back."""
    rows = {b"kept": b"0", b"gone": b"0"}
    _apply(rows, [Row(b"a", b"1"), Row(b"gone", None), Row(b"a", b"2"), Row(b"never", None)])
    assert rows == {b"kept": b"0", b"a": b"2"}
    _apply(rows, [Row(b"a", None), Row(b"gone", b"back"), Row(b"empty", b"")])
    assert rows == {b"kept": b"0", b"gone": b"back", b"empty": b""}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "commit.done"),
        ({"offset": 7, "topic": "in"}, "commit.done offset=7 topic=in"),
        ({"seconds": 0.25}, "commit.done seconds=0.250"),
        ({"reason": "two words", "empty": ""}, "commit.done reason='two words' empty=''"),
    ],
)
def test_log_lines_can_be_taken_apart(fields: dict[str, object], line: str) -> None:
    """A constant name, then key=value; what has blanks or nothing in it is quoted."""
    assert told("commit.done", **fields) == line


@pytest.mark.parametrize(
    ("generation", "member", "is_valid"), [(3, "m", True), (0, "m", True), (-1, "m", False), (3, "", False)]
)
def test_a_membership_that_the_broker_would_not_check_is_invalid(generation: int, member: str, is_valid: bool) -> None:
    """Generation -1 and no member mean "do not fence" to a broker."""
    assert Membership(generation, member, None).valid is is_valid


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ({0}, None),
        ({0, 22}, MembershipLostError),
        ({25}, MembershipLostError),
        ({27}, MembershipLostError),
        ({82}, FencedError),
        ({22, 82}, FencedError),
        ({15}, None),
    ],
)
def test_refusals_of_the_group_are_understood(codes: set[int], kind: type[EngineError] | None) -> None:
    """Over, unknown, rebalancing: wait for an assignment. Another instance: stop. The rest is aiokafka's business."""
    refusal = _refusal(codes, Membership(3, "m", "worker-0"))
    assert (None if refusal is None else type(refusal)) is kind
    if kind is FencedError:
        assert "worker-0: give each its own --instance-id" in str(refusal)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineError, 1),
        (FencedError, 1),
        (FoldError, 1),
        (WrongUseError, 2),
        (BrokerTooOldError, 2),
        (UnreachableError, 3),
    ],
)
def test_exit_codes_tell_a_problem_from_wrong_use_and_from_silence(error: type[EngineError], code: int) -> None:
    """1 a problem, 2 wrong use, 3 a service is unreachable; an engine's error is told as it is."""
    failure = error("text")
    assert failure.exit_code == code
    assert failure_of(failure) is failure


def test_an_unexpected_error_is_a_problem_and_is_named() -> None:
    """Not silence of a service: a restart may not help."""
    failure = failure_of(ZeroDivisionError("division by zero"))
    assert failure.exit_code == 1
    assert "ZeroDivisionError" in str(failure)
