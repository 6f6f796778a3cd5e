"""The demo's screen: calls, presence and records on one terminal page."""

import time
from typing import Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.demo.board import Board

STYLES = {
    "RINGING": "yellow",
    "DIALING": "yellow",
    "CONNECTED": "green",
    "ON_CALL": "green",
    "ON_HOLD": "magenta",
    "AVAILABLE": "cyan",
    "BUSY": "red",
    "DO_NOT_DISTURB": "red",
    "OFFLINE": "dim",
    "ANSWERED": "green",
    "MISSED": "red",
}
ROWS = 40


def render(board: Board, where: str, height: int) -> RenderableType:
    """Return the page; `where` says where else to look, `height` is the terminal's in lines."""
    layout = Layout()
    layout.split_column(Layout(_head(board, where), size=5), Layout(name="tables"), Layout(_latest(board), size=15))
    rows = max(3, min(ROWS, height - 26))
    layout["tables"].split_row(Layout(_calls(board, rows), ratio=3), Layout(_presence(board, rows), ratio=2))
    return layout


def _head(board: Board, where: str) -> Panel:
    delay = board.median_delay()
    with board.lock:
        text = f"{len(board.active)} calls now · {board.records} record revisions · "
        text += " · ".join(f"{name.lower()} {number}" for name, number in board.dispositions.most_common(6))
        refused = f" · {board.dead_letters.total()} dead letters" if board.dead_letters else ""
    speed = f" · call end to record here: {delay:.2f} s (median)" if delay is not None else ""
    return Panel(Group(Text(text + refused + speed), Text(where, style="dim")), title="widget-streams demo")


def _calls(board: Board, rows: int) -> Panel:
    table = Table(expand=True, box=None)
    for name in ("Extension", "Direction", "State", "For", "Other side", "Tabs"):
        table.add_column(name)
    now = time.time() * 1000
    with board.lock:
        calls = sorted(board.active.values(), key=lambda row: -(row["state_since"] or 0))[:rows]
    for row in calls:
        state = row["state"] + (" (muted)" if row["muted"] else "")
        table.add_row(
            row["extension_key"],
            row["direction"].lower(),
            Text(state, style=STYLES.get(row["state"], "")),
            clock((now - row["state_since"]) / 1000 if row["state_since"] else None),
            other_side(row),
            str(row["tabs"]),
        )
    return Panel(table, title="Active calls")


def _presence(board: Board, rows: int) -> Panel:
    counts = Text("  ".join(f"{name.lower()} {number}" for name, number in board.activities().most_common()))
    table = Table(expand=True, box=None)
    for name in ("Extension", "Activity", "For"):
        table.add_column(name)
    now = time.time() * 1000
    with board.lock:
        people = sorted(board.presence.values(), key=lambda row: -(row["activity_since"] or 0))[: rows - 2]
    for row in people:
        since = row["activity_since"]
        activity = Text(row["activity"], style=STYLES.get(row["activity"], ""))
        table.add_row(row["extension_key"], activity, clock((now - since) / 1000 if since else None))
    return Panel(Group(counts, table), title="Presence")


def _latest(board: Board) -> Panel:
    table = Table(expand=True, box=None)
    for name in ("Ended", "Extension", "Direction", "Disposition", "Ring", "Talk", "Hold", "Other side", "Quality"):
        table.add_column(name)
    with board.lock:
        rows = list(board.latest)
    for row in rows:
        table.add_row(*_cells(row))
    return Panel(table, title="Latest call records")


def _cells(row: dict[str, Any]) -> list[RenderableType]:
    return [
        time.strftime("%H:%M:%S", time.localtime(row["ended_at"] / 1000)),
        row["extension_key"],
        row["direction"].lower(),
        Text(row["disposition"], style=STYLES.get(row["disposition"], "")),
        seconds(row["ring_ms"]),
        seconds(row["talk_ms"]),
        seconds(row["hold_ms"]),
        other_side(row),
        " ".join(row["quality"]).lower(),
    ]


def line(row: dict[str, Any]) -> str:
    """Return a call record as one plain line, for terminals that are none."""
    return (
        f"{time.strftime('%H:%M:%S', time.localtime(row['ended_at'] / 1000))} {row['extension_key']}"
        f" {row['direction'].lower()} {row['disposition']} ring {seconds(row['ring_ms'])}"
        f" talk {seconds(row['talk_ms'])} hold {seconds(row['hold_ms'])} {' '.join(row['quality']).lower()}".rstrip()
    )


def other_side(row: dict[str, Any]) -> str:
    """Return what may be shown of the other side: kind, country, or the number of an extension."""
    remote = row["remote"] or {"kind": "UNKNOWN", "country": None, "token": None}
    if remote["kind"] == "EXTENSION":
        return f"ext. {remote['token']}"
    return " ".join(part for part in (remote["kind"].lower(), remote["country"]) if part)


def seconds(duration_ms: int | None) -> str:
    """Return a duration for people."""
    return "-" if duration_ms is None else f"{duration_ms / 1000:.1f} s"


def clock(duration: float | None) -> str:
    """Return seconds as minutes and seconds."""
    if duration is None:
        return "-"
    whole = max(0, int(duration))
    return f"{whole // 60}:{whole % 60:02d}"
