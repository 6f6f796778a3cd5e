"""Runs the demo: starts everything in order, shows it, and ends all of it."""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from rich.console import Console
from rich.live import Live

from streams.contracts.catalog import Naming
from streams.contracts.numbers import DEVELOPMENT_KEY
from streams.demo import page
from streams.demo.board import Board
from streams.demo.children import Children
from streams.demo.feed import Feed
from streams.demo.screen import line, render
from streams.local.embedded import EmbeddedKafka
from streams.local.ports import free_ports
from streams.local.progress import told_on
from streams.local.tools import Tools
from streams.worker.topics import create_missing, plan

PARTITIONS = 4
WORKERS = 2
WRITE_KEY = "wk_demo_on_this_machine"
REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 5.0


@dataclass(frozen=True)
class Options:
    """What can be chosen."""

    extensions: int
    rate: float
    """Envelopes per second; calls are short, so that there is something to see."""
    seed: int
    duration: float | None
    """Seconds after which the demo ends by itself; None: at Ctrl-C."""


Say = Callable[[str], None]


def run(options: Options, say: Say) -> Board:
    """Run until the time is over or Ctrl-C; returns what was seen.

    Raises:
        streams.local.errors.LocalError: Kafka cannot be started here; the text says what to do.
        streams.demo.children.ChildEndedError: A part of the demo ended by itself.
    """
    folder = Path(tempfile.mkdtemp(prefix="widget-streams-demo-"))
    # While topics are new, clients complain of what they mend themselves.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    children = Children(folder, {"WIDGET_STREAMS_TOKEN_KEY": DEVELOPMENT_KEY.decode()})
    board = Board()
    try:
        say("Starting Apache Kafka (the first time it is fetched) ...")
        tools = Tools.from_environment()._replace(report=told_on(sys.stderr))
        with EmbeddedKafka(tools=tools) as kafka:
            try:
                _show(options, kafka.bootstrap, children, board, say)
            except KeyboardInterrupt:
                say("Ending ...")
            finally:
                children.stop()
    except KeyboardInterrupt:
        say("Ended before it began.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return board


def _show(options: Options, bootstrap: str, children: Children, board: Board, say: Say) -> None:
    say(f"Kafka answers at {bootstrap}. Creating topics ...")
    asyncio.run(_create_topics(bootstrap))
    *ports, gateway_port, page_port, serve_port = free_ports(WORKERS + 3)
    for number, port in enumerate(ports, 1):
        children.start(
            f"worker-{number}",
            "worker",
            f"--bootstrap-servers={bootstrap}",
            f"--instance-id=demo-{number}",
            f"--health-port={port}",
        )
    children.start("gateway", *_gateway(children.folder, bootstrap, gateway_port, page_port))
    gateway = f"http://127.0.0.1:{gateway_port}"
    wallboard = f"http://127.0.0.1:{serve_port}/"
    children.start("serve", "serve", f"--bootstrap-servers={bootstrap}", f"--serve-port={serve_port}")
    where = f"wallboard {wallboard} · Kafka {bootstrap} · gateway {gateway} · metrics "
    where += " ".join(f"http://127.0.0.1:{port}/metrics" for port in ports)
    say(f"{WORKERS} workers and a gateway start. Numbers become tokens of the public development key. {where}")
    say(f"The wallboard is at {wallboard}")
    children.start("simulator", *_simulator(options, gateway))
    feed = Feed(bootstrap, board)
    with page.serve(f"{gateway}/collector.js", WRITE_KEY, page_port=page_port) as served:
        say(f"A page with the collector and a stand-in widget, to open in a browser: {served.url}")
        feed.start()
        try:
            watch = _watch_screen if sys.stdout.isatty() else _watch_plain
            watch(options, children, board, f"page {served.url} · {where}", say)
        finally:
            feed.stop()


def _gateway(folder: Path, bootstrap: str, port: int, page_port: int) -> list[str]:
    """Return the command of the gateway; its sites file stands in the folder."""
    sites = folder / "sites.toml"
    sites.write_text(
        f'[[site]]\nname = "demo"\nwrite_key = "{WRITE_KEY}"\norigins = ["http://127.0.0.1:{page_port}"]\n'
    )
    return [
        "gateway",
        f"--bootstrap-servers={bootstrap}",
        f"--gateway-port={port}",
        f"--gateway-sites-file={sites}",
        "--gateway-notice-seconds=0",
    ]


def _simulator(options: Options, gateway: str) -> list[str]:
    return [
        "simulate",
        f"--gateway={gateway}",
        f"--write-key={WRITE_KEY}",
        f"--extensions={options.extensions}",
        f"--rate={options.rate:g}",
        f"--seed={options.seed}",
    ]


async def _create_topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await create_missing(admin, plan(Naming(), partitions=PARTITIONS, replication_factor=1))
    finally:
        await admin.close()


def _over(options: Options, begun: float) -> bool:
    return options.duration is not None and time.monotonic() - begun >= options.duration


def _watch_screen(options: Options, children: Children, board: Board, where: str, _: Say) -> None:
    console, begun = Console(), time.monotonic()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while not _over(options, begun):
            children.check()
            live.update(render(board, f"{where} · Ctrl-C ends", *console.size), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _watch_plain(options: Options, children: Children, board: Board, _: str, say: Say) -> None:
    """Tell each new record and now and then the totals, a line each."""
    begun, told, shown = time.monotonic(), 0.0, 0
    while not _over(options, begun):
        children.check()
        with board.lock:
            total = board.dispositions.total()
            fresh = list(board.latest)[: total - shown]
        for row in reversed(fresh):
            say(line(row))
        shown = total
        if time.monotonic() - told >= PLAIN_SECONDS:
            told = time.monotonic()
            say(f"-- {summary(board)}")
        time.sleep(REFRESH_SECONDS)


def summary(board: Board) -> str:
    """Return the totals in one line."""
    delay = board.median_delay()
    activities = ", ".join(f"{name.lower()} {number}" for name, number in board.activities().most_common())
    speed = "" if delay is None else f"; call end to record seen: {delay:.2f} s (median)"
    with board.lock:
        counts = f"{len(board.active)} calls now, {board.dispositions.total()} ended"
        refused = f", {board.dead_letters.total()} dead letters" if board.dead_letters else ""
    return f"{counts}{refused}; {activities or 'nobody yet'}{speed}"
