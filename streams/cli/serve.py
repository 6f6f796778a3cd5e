"""`widget-streams serve`: live state over HTTP and the wallboard (CONTRACT 9)."""

import asyncio
import gc
from zoneinfo import ZoneInfo

import click

from streams.cli.errors import Unreachable, WrongUse
from streams.cli.options import required_brokers, with_settings
from streams.cli.security import SECURITY, required_security
from streams.contracts.catalog import Naming
from streams.lifetime import CannotListenError, NoBrokerError
from streams.memory import one_arena
from streams.serve.feed import TopicsMissingError
from streams.serve.guard import GuardError, is_loopback, read_origins
from streams.serve.run import ServeOptions, Server, run_until_signalled
from streams.settings import Settings
from streams.telemetry import logs

GC_THRESHOLDS = (50_000, 20, 20)
EXAMPLE = """\b
Examples:
  widget-streams serve --bootstrap-servers 127.0.0.1:9092
  head -c 32 /dev/urandom | base64 > serve.tokens
  widget-streams serve --config serve.toml --serve-host 0.0.0.0 --serve-tokens-file serve.tokens
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLE)
@with_settings(
    "bootstrap_servers",
    *SECURITY,
    "topic_prefix",
    "broker_wait_seconds",
    "serve_host",
    "serve_port",
    "serve_tokens_file",
    "serve_cors_origins",
    "serve_requests_per_second",
    "serve_streams",
    "serve_time_zone",
    "log_level",
)
def command(settings: Settings) -> None:
    """Serve live state over HTTP, and the wallboard.

    Reads active calls, presence, call records and interval metrics from their topics and answers from memory; any
    number of copies run side by side and share nothing. Without tokens it listens on this machine alone. While Kafka
    is away it goes on answering and says how old its answers are.
    """
    logs.setup(settings.log_level)
    one_arena()
    # Rows come by the hundred thousand, stay for hours and are in no cycles: seldom looking for them is enough.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        server = Server(options_of(settings, required_brokers(settings)))
        asyncio.run(run_until_signalled(server, lambda port: _tell(settings.serve_host, port)))
    except (GuardError, CannotListenError, TopicsMissingError) as error:
        raise WrongUse(str(error)) from error
    except NoBrokerError as error:
        raise Unreachable(str(error)) from error


def options_of(settings: Settings, bootstrap: str) -> ServeOptions:
    """Return the service's options.

    Raises:
        WrongUse: Settings that do not go together, or a time zone that is none.
        GuardError: An origin that is none.
    """
    if settings.serve_tokens_file is None and not is_loopback(settings.serve_host):
        raise WrongUse(
            f"At {settings.serve_host} other machines could read who is on the phone: give --serve-tokens-file, a file"
            " with a token a line (head -c 32 /dev/urandom | base64 > serve.tokens), or --serve-host 127.0.0.1."
        )
    try:
        zone = ZoneInfo(settings.serve_time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise WrongUse("serve_time_zone is no time zone of this machine; one is America/Los_Angeles.") from error
    return ServeOptions(
        bootstrap=bootstrap,
        naming=Naming(prefix=settings.topic_prefix),
        host=settings.serve_host,
        port=settings.serve_port,
        tokens_file=settings.serve_tokens_file,
        origins=read_origins(settings.serve_cors_origins),
        requests_per_second=settings.serve_requests_per_second,
        streams=settings.serve_streams,
        time_zone=zone,
        broker_wait_seconds=settings.broker_wait_seconds,
        security=required_security(settings),
    )


def _tell(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"The wallboard is at http://{shown}:{port}/")
