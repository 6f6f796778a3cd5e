"""The demo's page shows calls, presence and records in any terminal, also in one of 80 columns and 24 lines."""

import io
import time
from typing import Any

import pytest
from rich.console import Console

from streams.demo.board import Board
from streams.demo.screen import clock, line, other_side, render, seconds
from tests.builders import LOGIN, Tab, fold

WHERE = "Kafka 127.0.0.1:20019 · metrics http://127.0.0.1:27197/metrics http://127.0.0.1:25638/metrics · Ctrl-C ends"


def a_board(people: int = 30) -> Board:
    """Return a board on which everybody had a call and is in another."""
    board = Board()
    for number in range(people):
        tab = Tab(str(number), login=f"{LOGIN[:-3]}{101 + number}")
        first, second = tab.call(1), tab.call(2)
        posts = [tab.presence(0), first.ring(10), first.start(4_010), first.end(9_010), second.ring(9_500)]
        for row in fold(posts).rows:
            if row.record in {"ActiveCall", "Presence", "CallRecord"}:
                board.take(row.record, str(row.key), row.row)
    for state in (*board.active.values(), *board.presence.values()):
        state.update(dict.fromkeys({"state_since", "activity_since"} & state.keys(), time.time() * 1_000))
    return board


def shown(board: Board, width: int, height: int) -> list[str]:
    """Return the lines of the page."""
    text = io.StringIO()
    console = Console(file=text, width=width, height=height, legacy_windows=False)
    console.print(render(board, WHERE, width, height))
    return text.getvalue().rstrip("\n").splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (140, 45), (200, 60)])
def test_the_page_fills_the_terminal_and_shows_each_table(width: int, height: int) -> None:
    """No line is too many, none too long, and each table has rows."""
    lines = shown(a_board(), width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    page = "\n".join(lines)
    for title in ("Active calls", "Presence", "Latest call records"):
        assert title in page
    assert page.count("RINGING") >= 4
    assert page.count("ANSWERED") >= 3
    assert "25638/metrics" in page.replace("\n", "")
    assert "5.0 s" in page


def test_extensions_are_told_apart_in_a_narrow_terminal() -> None:
    """Their own number is what differs; a wide one shows the whole key."""
    narrow, wide = "\n".join(shown(a_board(3), 80, 24)), "\n".join(shown(a_board(3), 140, 45))
    assert "*101" in narrow
    assert "…" not in narrow
    assert LOGIN not in narrow
    assert LOGIN in wide


def test_before_anything_happened_the_page_is_whole() -> None:
    """No separator without something behind it."""
    lines = shown(Board(), 140, 45)
    assert "0 calls now · 0 record revisions " in lines[1]
    assert not lines[1].rstrip(" │").endswith("·")


def test_a_record_is_one_plain_line() -> None:
    """For terminals that are none."""
    board = a_board(1)
    (record,) = board.latest
    assert line(record).endswith(f"{LOGIN} inbound ANSWERED ring 4.0 s talk 5.0 s hold 0.0 s")


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ({"token": "102", "country": None, "kind": "EXTENSION"}, "ext. 102"),
        ({"token": "k1.x", "country": "US", "kind": "EXTERNAL"}, "external US"),
        ({"token": None, "country": None, "kind": "ANONYMOUS"}, "anonymous"),
        (None, "unknown"),
    ],
)
def test_the_other_side_is_told_without_its_token(remote: dict[str, Any] | None, told: str) -> None:
    """Kind and country; colleagues by their number."""
    assert other_side({"remote": remote}) == told


def test_durations_are_for_people() -> None:
    """Unknown is not zero."""
    assert (seconds(None), seconds(0), seconds(1_250)) == ("-", "0.0 s", "1.2 s")
    assert (clock(None), clock(-3), clock(65)) == ("-", "0:00", "1:05")
