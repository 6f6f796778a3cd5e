"""The demo's screen: calls, presence and records on one terminal page."""

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.demo.board import LATEST, Board

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
WIDE = 110
"""Terminals of so many columns show everything; narrower ones what matters most."""
CALL_COLUMNS = {
    True: ("Extension", "Direction", "State", "For", "Other side", "Tabs"),
    False: ("Extension", "State", "For", "Other side"),
}
RECORD_COLUMNS = {
    True: ("Ended", "Extension", "Direction", "Disposition", "Ring", "Talk", "Hold", "Other side", "Quality"),
    False: ("Ended", "Extension", "Direction", "Disposition", "Ring", "Talk", "Hold"),
}
FRAME = 3
"""Lines of a panel with a table that are not rows: two borders and the header."""


def render(board: Board, where: str, width: int, height: int) -> RenderableType:
    """Return the page; `where` says where else to look, width and height are the terminal's."""
    wide = width >= WIDE
    texts = (_totals(board), where)
    head = 2 + sum(-(-len(text) // (width - 4)) for text in texts)
    latest = FRAME + max(3, min(LATEST, height // 3 - FRAME))
    rows = max(1, height - head - latest - FRAME)
    layout = Layout()
    layout.split_column(
        Layout(_head(*texts), size=head),
        Layout(name="tables"),
        Layout(_latest(board, latest - FRAME, wide=wide), size=latest),
    )
    layout["tables"].split_row(
        Layout(_calls(board, rows, wide=wide), ratio=3), Layout(_presence(board, rows, wide=wide), ratio=2)
    )
    return layout


def _totals(board: Board) -> str:
    delay = board.median_delay()
    with board.lock:
        parts = [f"{len(board.active)} calls now", f"{board.records} record revisions"]
        parts += [f"{name.lower()} {number}" for name, number in board.dispositions.most_common(6)]
        if board.dead_letters:
            parts.append(f"{board.dead_letters.total()} dead letters")
    if delay is not None:
        parts.append(f"call end to record here: {delay:.2f} s (median)")
    return " · ".join(parts)


def _head(totals: str, where: str) -> Panel:
    return Panel(Group(Text(totals), Text(where, style="dim")), title="widget-streams demo")


def _table(columns: Sequence[str]) -> Table:
    table = Table(expand=True, box=None)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _calls(board: Board, rows: int, *, wide: bool) -> Panel:
    columns = CALL_COLUMNS[wide]
    table = _table(columns)
    now = time.time() * 1000
    with board.lock:
        calls = sorted(board.active.values(), key=lambda row: -(row["state_since"] or 0))[:rows]
    for row in calls:
        state = row["state"] + (" (muted)" if row["muted"] else "")
        cells: dict[str, RenderableType] = {
            "Extension": extension(row["extension_key"], wide=wide),
            "Direction": row["direction"].lower(),
            "State": Text(state, style=STYLES.get(row["state"], "")),
            "For": clock((now - row["state_since"]) / 1000 if row["state_since"] else None),
            "Other side": other_side(row),
            "Tabs": str(row["tabs"]),
        }
        table.add_row(*(cells[name] for name in columns))
    return Panel(table, title="Active calls")


def _presence(board: Board, rows: int, *, wide: bool) -> Panel:
    counts = "  ".join(f"{name.lower()} {number}" for name, number in board.activities().most_common())
    table = _table(("Extension", "Activity", "For"))
    now = time.time() * 1000
    with board.lock:
        people = sorted(board.presence.values(), key=lambda row: -(row["activity_since"] or 0))[: max(0, rows - 1)]
    for row in people:
        since = row["activity_since"]
        activity = Text(row["activity"], style=STYLES.get(row["activity"], ""))
        time_in = clock((now - since) / 1000 if since else None)
        table.add_row(extension(row["extension_key"], wide=wide), activity, time_in)
    return Panel(Group(Text(counts, no_wrap=True, overflow="ellipsis"), table), title="Presence")


def _latest(board: Board, rows: int, *, wide: bool) -> Panel:
    columns = RECORD_COLUMNS[wide]
    table = _table(columns)
    with board.lock:
        latest = list(board.latest)[:rows]
    for row in latest:
        cells = _cells(row, wide=wide)
        table.add_row(*(cells[name] for name in columns))
    return Panel(table, title="Latest call records")


def _cells(row: dict[str, Any], *, wide: bool) -> dict[str, RenderableType]:
    return {
        "Ended": time.strftime("%H:%M:%S", time.localtime(row["ended_at"] / 1000)),
        "Extension": extension(row["extension_key"], wide=wide),
        "Direction": row["direction"].lower(),
        "Disposition": Text(row["disposition"], style=STYLES.get(row["disposition"], "")),
        "Ring": seconds(row["ring_ms"]),
        "Talk": seconds(row["talk_ms"]),
        "Hold": seconds(row["hold_ms"]),
        "Other side": other_side(row),
        "Quality": " ".join(row["quality"]).lower(),
    }


def extension(key: str, *, wide: bool) -> str:
    """Return an extension key, without the main number where there is no room: all have the same in the demo."""
    return key if wide else key[key.index("*") :]


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
