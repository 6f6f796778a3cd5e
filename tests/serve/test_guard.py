"""Who may ask: tokens, names of this machine, origins, rate."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.serve.guard import Guard, GuardError, is_loopback, read_origins, read_tokens

TOKEN = "an-invented-token-of-32-letters!"


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """Give a guard with two tokens."""
    file = tmp_path / "tokens"
    file.write_text(f"# for the screens\n{TOKEN}\n\nanother-invented-token\n", encoding="utf-8")
    return Guard(read_tokens(file), frozenset(), 1.0)


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", "Bearer another-invented-token"])
def test_a_known_token_is_let_in(guard: Guard, header: str) -> None:
    """Each of the file."""
    assert guard.admits({"Authorization": header})


@pytest.mark.parametrize(
    "header", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Bearer # for the screens"]
)
def test_anything_else_is_not(guard: Guard, header: str) -> None:
    """A part of one, a comment, another scheme."""
    assert not guard.admits({"Authorization": header})
    assert not guard.admits({})


@pytest.mark.parametrize("text", ["", "# only this\n", "short\n", f"{TOKEN} x\n", "ünïcödé-ünïcödé-ünïcödé\n"])
def test_a_file_of_tokens_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    """And its text is not repeated."""
    file = tmp_path / "tokens"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(GuardError) as refused:
        read_tokens(file)
    assert TOKEN not in str(refused.value)
    with pytest.raises(GuardError):
        read_tokens(tmp_path / "none")


def test_without_tokens_only_names_of_this_machine_are_answered() -> None:
    """A page that points its own name here reads nothing."""
    guard = Guard(frozenset(), frozenset(), 1.0)
    assert all(map(guard.is_known_host, ["localhost:8081", "127.0.0.1:8081", "[::1]:8081", "127.0.0.1"]))
    assert not any(
        map(guard.is_known_host, ["evil.example:8081", "", "localhost.evil.example", "10.0.0.1", "0.0.0.0:1"])
    )


def test_what_is_loopback() -> None:
    """Only what no other machine reaches."""
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.1.2.3", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "", "board.example"]))


@pytest.mark.parametrize(
    "text", ["*", "board.example", "https://board.example/", "https://a.example/x", "file:///x", "null"]
)
def test_an_origin_that_is_none_is_refused(text: str) -> None:
    """Exact origins only."""
    with pytest.raises(GuardError):
        read_origins(f"https://good.example, {text}")
    assert read_origins(" https://a.example, http://b.example:81,") == {"https://a.example", "http://b.example:81"}


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=200), st.sampled_from([0.5, 1.0, 5.0]))
def test_nobody_asks_more_than_rate_and_burst_allow(pauses: list[float], rate: float) -> None:
    """Over any time; who waits as long as it is told is let in; another client is not affected."""
    guard, now, admitted = Guard(frozenset(), frozenset(), rate), 0.0, 0
    for pause in pauses:
        now += pause
        wait = guard.wait("a", now)
        admitted += wait == 0.0
        assert wait <= 1 / rate
    assert admitted <= 10 * rate + rate * now + 1e-6
    assert guard.wait("b", now) == 0.0
    while wait := guard.wait("a", now):
        now += wait + 1e-6
    assert now < sum(pauses) + 2 / rate
