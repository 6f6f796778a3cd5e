"""`widget-streams kafka`: the embedded Apache Kafka for development and tests."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from streams.cli.errors import Problem, Unreachable, WrongUse
from streams.local.background import Background, Condition, NodeHealth, Request, health
from streams.local.errors import LocalError, NotReachableError, WrongRequestError
from streams.local.jars import KAFKA_VERSION
from streams.local.node import Size
from streams.local.progress import told_on
from streams.local.state import Running
from streams.local.tools import JAVA_VARIABLE, MIRROR_VARIABLE, Tools

_LOOK_SECONDS = 0.5
TROUBLED = frozenset({Condition.ENDED, Condition.FULL})
"""Ways in which a node does not go on."""


@click.group(epilog="\b\nExample:\n  widget-streams kafka start && widget-streams kafka status")
def command() -> None:
    """Start, stop or look at the embedded Apache Kafka on 127.0.0.1.

    It needs no Docker. The first start fetches 40 MB into the user's cache; later ones need no network.
    """


@command.command(epilog="\b\nExample:\n  widget-streams kafka start --nodes 3 --port 19092 --data ./kafka-data")
@click.option("--nodes", type=click.Choice(["1", "3"]), default="1", show_default=True, help="Brokers in the cluster.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=9092,
    show_default=True,
    help="Of the first broker; the other brokers and the controllers take the next. 0 takes free ones.",
)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder to store in; it is kept.")
@click.option("--keep-data", is_flag=True, help="Keep what is stored for the next start with --keep-data.")
@click.option("--heap-mb", type=click.IntRange(min=128), default=512, show_default=True, help="Memory of each broker.")
@click.option("--java", envvar=JAVA_VARIABLE, show_envvar=True, metavar="PATH", help="Java 17 or newer to run it.")
@click.option(
    "--mirror", envvar=MIRROR_VARIABLE, show_envvar=True, metavar="URL", help="Maven repository to fetch from."
)
@click.option("--foreground", is_flag=True, help="Stay until Ctrl-C or SIGTERM, then stop it.")
def start(  # noqa: PLR0913 - one parameter for each option
    nodes: str,
    port: int,
    data: Path | None,
    keep_data: bool,
    heap_mb: int,
    java: str | None,
    mirror: str | None,
    foreground: bool,
) -> None:
    """Start Kafka and print its bootstrap servers when it answers.

    What is stored is dropped at the stop, unless --data or --keep-data is given.
    """
    size = Size(heap_mb=heap_mb, quick_start=False)
    request = Request(int(nodes), port, size, data, keeps_data=keep_data, tethered=foreground)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _clear_words():
        background, running = Background(), None
        try:
            running = background.start(request, Tools(java, mirror, told_on(sys.stderr)))
            _tell_started(running)
            if foreground:
                _stay(background, running)
        except KeyboardInterrupt:
            if running is None or not foreground:
                raise
            background.stop()
            click.echo("Kafka was stopped.", err=True)


@command.command(epilog="\b\nExample:\n  widget-streams kafka stop --drop")
@click.option("--drop", is_flag=True, help="Drop the stored data even if they were to be kept.")
def stop(drop: bool) -> None:
    """Stop Kafka; says so when it does not run."""
    with _clear_words():
        stopped = Background().stop(drops_data=drop)
    if stopped is None:
        click.echo("Kafka was not running.", err=True)
    elif stopped.keeps_data and not drop:
        click.echo(f"Kafka was stopped. Its data are kept in {stopped.folder}.", err=True)
    else:
        click.echo("Kafka was stopped and its data dropped.", err=True)


@command.command(epilog="\b\nExample:\n  widget-streams kafka status")
def status() -> None:
    """Show each node and how it is.

    Exits with 1 when a node ended by itself or cannot write, 3 when Kafka does not run or does not answer.
    """
    with _clear_words():
        running = Background().running()
        if running is None:
            raise Unreachable("Kafka does not run. Start it with `widget-streams kafka start`.")
        nodes = health(running)
    click.echo(running.bootstrap)
    for one in nodes:
        click.echo(f"node {one.node.node}: {one.condition.value}, process {one.node.process.pid}, log {one.node.log}")
    click.echo(f"data: {running.folder} ({'kept' if running.keeps_data else 'dropped'} at the stop)")
    _judge(nodes)


def _judge(nodes: list[NodeHealth]) -> None:
    for one in nodes:
        if one.condition in TROUBLED:
            how = f"Node {one.node.node} of Kafka {one.condition.value}."
            raise Problem(f"{how} {one.reason} Its log: {one.node.log}")
    for one in nodes:
        if one.condition is Condition.SILENT:
            raise Unreachable(f"Node {one.node.node} of Kafka does not answer on port {one.node.port}.")


def _tell_started(running: Running) -> None:
    logs = ", ".join(str(node.log) for node in running.nodes)
    click.echo(running.bootstrap)
    click.echo(f"Apache Kafka {KAFKA_VERSION} runs. Log: {logs}. Stop it with `widget-streams kafka stop`.", err=True)


def _stay(background: Background, running: Running) -> None:
    """Stay until `kafka stop`, or until no node can go on: what is left of them is stopped then."""
    while background.running() == running:
        nodes = health(running)
        if all(one.condition in TROUBLED for one in nodes):
            if any(one.condition is Condition.FULL for one in nodes):
                background.stop()
            _judge(nodes)
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _clear_words() -> Iterator[None]:
    """Turn what went wrong into the command's exit code and sentence."""
    try:
        yield
    except WrongRequestError as error:
        raise WrongUse(str(error)) from error
    except NotReachableError as error:
        raise Unreachable(str(error)) from error
    except LocalError as error:
        raise Problem(str(error)) from error
