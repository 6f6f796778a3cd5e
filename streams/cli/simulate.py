"""`widget-streams simulate`: a population of widgets against a gateway, the topic of widget events, or into a file."""

import asyncio
import logging
import signal
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.cli.errors import Problem, Unreachable, WrongUse
from streams.cli.options import required_brokers, with_settings
from streams.cli.security import SECURITY, required_security
from streams.contracts.catalog import Naming, topic
from streams.security import PLAIN_TEXT, Security
from streams.settings import Settings
from streams.simulate import post, send
from streams.simulate.envelopes import Collector, Faults
from streams.simulate.habits import CALLS_PER_HOUR, HURRIED_CALLS_PER_HOUR, Scenario, hurried, shift
from streams.simulate.open_loop import OpenLoop, Sent
from streams.simulate.population import Population
from streams.simulate.run import Run

_START_WITHIN_SECONDS = 20.0
_FLUSH_WITHIN_SECONDS = 30.0
_PROGRESS_SECONDS = 5.0
_HEAD_START_MS = 300
_TOO_FAR_BEHIND_MS = 1_000
_EXTENSIONS = 50
_AS_MANY_AS_NEEDED = 1_000_000
_FAULTS = Faults()
_SHARE = click.FloatRange(0, 0.5)

EPILOG = """\b
Examples:
  widget-streams simulate --bootstrap-servers localhost:9092 --extensions 200
  widget-streams simulate --bootstrap-servers localhost:9092 --rate 2000 --duration 60
  widget-streams simulate --gateway http://localhost:8080 --write-key wk_... --rate 500
  widget-streams simulate --out calls.jsonl --truth legs.jsonl --duration 3600 --seed 7
"""


@click.command(epilog=EPILOG)
@with_settings("bootstrap_servers", *SECURITY, "topic_prefix")
@click.option(
    "--extensions",
    type=click.IntRange(min=1),
    help=f"How many people there are [default: {_EXTENSIONS}]; with --rate the most that may come.",
)
@click.option("--tabs", type=click.IntRange(1, 5), default=3, show_default=True, help="Most tabs of one browser.")
@click.option(
    "--calls-per-hour",
    type=click.FloatRange(0, 600, min_open=True),
    help=f"Calls of one extension in an hour [default: {CALLS_PER_HOUR:g}; with --rate {HURRIED_CALLS_PER_HOUR:g}].",
)
@click.option(
    "--rate",
    type=click.FloatRange(1, 100_000),
    help="Envelopes per second. People come until about so many fall due, and their calls are short (median talk 9 s),"
    " so that fewer are needed. Time is not compressed. In the first minutes many of the events are page loads.",
)
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Seconds; without it until Ctrl-C.")
@click.option("--events", type=click.IntRange(min=1), help="Stop after so many envelopes.")
@click.option(
    "--scenario",
    type=click.Choice([scenario.value for scenario in Scenario]),
    default=Scenario.STEADY.value,
    show_default=True,
    help="login-storm: all log in within 5 s; queue-burst: a rush of queue calls every 30 s.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed, the same people."
)
@click.option("--lost", type=_SHARE, default=_FAULTS.lost, show_default=True, help="Share that never arrives.")
@click.option("--doubled", type=_SHARE, default=_FAULTS.doubled, show_default=True, help="Share that arrives twice.")
@click.option("--late", type=_SHARE, default=_FAULTS.late, show_default=True, help="Share that arrives seconds late.")
@click.option(
    "--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write what really happened: ended legs."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a file, at once, instead of sending."
)
@click.option("--gateway", help="Post to the gateway at this URL instead of writing to Kafka.")
@click.option("--write-key", help="Write key of a site of that gateway.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]),
    help="With --out: when the simulated time begins, UTC [default: now].",
)
def command(settings: Settings, **options: Any) -> None:
    """Post the events of a population of widgets.

    Each envelope is sent when it is due, however slow the broker or the gateway is. What goes wrong on purpose (lost,
    doubled, late) is counted exactly. Ends with a summary after --duration, --events or Ctrl-C; exits with 3 when
    nothing answers.
    """
    out: Path | None = options["out"]
    if out is None and options["start"] is not None:
        raise WrongUse("--start is for --out: what is sent to Kafka happens now.")
    if out is not None and options["duration"] is None and options["events"] is None:
        raise WrongUse("How much is to be written? Give --duration or --events with --out.")
    if options["gateway"]:
        _check_gateway(options)
    target = options["gateway"] or ("" if out else required_brokers(settings))
    security = PLAIN_TEXT if out or options["gateway"] else required_security(settings)
    with ExitStack() as files:
        run = _run(options, files)
        if out:
            _summary(run, run.write(files.enter_context(_open(out))), wrote="written")
            return
        if options["gateway"]:
            sent = asyncio.run(_post(run, target, options["write_key"]))
        else:
            name = topic("events").name(Naming(prefix=settings.topic_prefix))
            sent = asyncio.run(_send(run, target, name, security))
        _summary(run, sent, wrote=f"fell due, {sent.acknowledged} acknowledged")
    if sent.waiting or sent.failed:
        why = f" ({sent.first_error})" if sent.first_error else ""
        raise Unreachable(f"{sent.waiting + sent.failed} envelopes were not acknowledged by {target}{why}.")


def _run(options: dict[str, Any], files: ExitStack) -> Run:
    rate: float | None = options["rate"]
    habits, crowd = shift(
        Scenario(options["scenario"]),
        extensions=options["extensions"] or (_AS_MANY_AS_NEEDED if rate else _EXTENSIONS),
        tabs=options["tabs"],
        calls_per_hour=options["calls_per_hour"] or (HURRIED_CALLS_PER_HOUR if rate else CALLS_PER_HOUR),
    )
    if rate:
        habits, crowd = hurried(habits, crowd, rate)
    begin: datetime | None = options["start"]
    start_ms = round(begin.replace(tzinfo=UTC).timestamp() * 1_000) if begin else _now_ms() + _HEAD_START_MS
    faults = Faults(options["lost"], options["doubled"], options["late"])
    duration: float | None = options["duration"]
    return Run(
        population=Population(options["seed"], habits, crowd, start_ms),
        collector=Collector(options["seed"], faults),
        start_ms=start_ms,
        stop_ms=None if duration is None else start_ms + round(duration * 1_000),
        events=options["events"],
        truth=files.enter_context(_open(options["truth"])) if options["truth"] else None,
    )


def _check_gateway(options: dict[str, Any]) -> None:
    if options["out"] or not options["write_key"]:
        raise WrongUse("--gateway needs --write-key, the key of a site, and does not go with --out.")
    # Before the schedule begins: it would be behind from the start.
    asyncio.run(_gateway_ready(options["gateway"]))


async def _gateway_ready(url: str) -> None:
    async with post.client() as client:
        try:
            await post.wait_for(client, url, _START_WITHIN_SECONDS)
        except post.NoGatewayError as error:
            raise Unreachable(f"The gateway at {url} is not ready: {error}") from error


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise WrongUse(f"{path} cannot be written: {error.strerror}.") from error


async def _send(run: Run, brokers: str, topic_name: str, security: Security) -> Sent:
    # Without a handler Python prints aiokafka's warnings bare; what matters is in our own sentences.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    kafka = send.producer(brokers, security)
    await _start(kafka, brokers, topic_name)
    try:
        return await _play(run, send.Sender(kafka, topic_name, _now_ms))
    finally:
        await send.close(kafka)


async def _post(run: Run, url: str, key: str) -> Sent:
    async with post.client() as client:
        return await _play(run, post.Poster(client, url, key, _now_ms))


async def _play(run: Run, loop: OpenLoop) -> Sent:
    stop = asyncio.Event()
    _stop_at_a_signal(stop)
    progress = asyncio.create_task(_progress(run, loop.sent))
    try:
        await loop.run(run.dues(), stop, flush_within_seconds=_FLUSH_WITHIN_SECONDS)
    finally:
        progress.cancel()
    run.note_truth(_now_ms())
    return loop.sent


def _stop_at_a_signal(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        stop.set()
        for name in signals:
            loop.remove_signal_handler(name)  # A second signal does not wait for the broker.

    for name in signals:
        loop.add_signal_handler(name, end)


async def _start(kafka: AIOKafkaProducer, brokers: str, topic_name: str) -> None:
    try:
        await send.start(kafka, topic_name, _START_WITHIN_SECONDS)
    except send.TopicMissingError as error:
        raise Problem(f"{brokers} has no topic {topic_name}. `widget-streams topics apply` creates it.") from error
    except (KafkaError, TimeoutError, OSError, ValueError) as error:
        raise Unreachable(
            f"No Kafka broker answers at {brokers}. Is it running, is --bootstrap-servers right, do login"
            " and encryption fit?"
        ) from error


async def _progress(run: Run, sent: Sent) -> None:
    before = 0
    while True:
        await asyncio.sleep(_PROGRESS_SECONDS)
        rate = (sent.scheduled - before) / _PROGRESS_SECONDS
        before = sent.scheduled
        click.echo(
            f"{datetime.now(UTC):%H:%M:%S}  {sent.scheduled} due ({rate:.0f}/s), {sent.acknowledged} acknowledged,"
            f" {sent.waiting} waiting, {run.population.history.counts['legs']} legs, {run.population.present} people",
            err=True,
        )
        run.note_truth(_now_ms())


def _summary(run: Run, sent: Sent, *, wrote: str) -> None:
    history, planted = run.population.history.counts, run.collector.planted.counts
    click.echo(f"{sent.scheduled} envelopes {wrote}")
    for name, count in sent.types.most_common():
        click.echo(f"  {count:>9}  {name}")
    click.echo(
        f"people {run.population.present}, page loads {history['page_loads']}, calls {history['calls']},"
        f" legs {history['legs']}, ended by a reload {history['reloads_in_call']},"
        f" calls that found nobody {history['refused']}"
    )
    click.echo(f"planted: lost {planted['lost']}, doubled {planted['doubled']}, late {planted['late']}")
    if sent.seconds:
        click.echo(
            f"{sent.seconds:.1f} s, {sent.scheduled / sent.seconds:.0f} envelopes/s; longest behind the schedule"
            f" {sent.behind_ms} ms, longest until acknowledged {sent.slowest_ms} ms"
        )
    if sent.behind_ms > _TOO_FAR_BEHIND_MS:
        click.echo("This process was too slow for its schedule: the load was not what was asked for.", err=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
