"""`widget-streams gateway`: the HTTP intake for browsers (CONTRACT 9)."""

import asyncio
import gc
import ssl
from pathlib import Path

import click

from streams.cli.errors import Problem, Unreachable, WrongUse
from streams.cli.options import required_brokers, with_settings
from streams.cli.security import SECURITY, required_security
from streams.contracts.catalog import Naming, topic
from streams.contracts.numbers import TokenKey
from streams.gateway.broker import TopicMissingError
from streams.gateway.run import Gateway, GatewayOptions, run_until_signalled
from streams.gateway.script import collector_script
from streams.gateway.service import NO_SCRIPT
from streams.gateway.watched import FileError
from streams.lifetime import CannotListenError, NoBrokerError, take_all_files
from streams.settings import Settings, SettingsError, token_secret
from streams.telemetry import logs

GC_ALLOCATIONS = 20_000
HELP = {"help_option_names": ["-h", "--help"]}
EXAMPLE = """\b
Examples:
  widget-streams gateway --bootstrap-servers 127.0.0.1:9092 --gateway-sites-file sites.toml
  widget-streams gateway sri
"""


@click.group(context_settings=HELP, epilog=EXAMPLE, invoke_without_command=True)
@with_settings(
    "bootstrap_servers",
    *SECURITY,
    "topic_prefix",
    "token_key_file",
    "token_key_version",
    "raw_personal_data",
    "broker_wait_seconds",
    "gateway_host",
    "gateway_port",
    "gateway_sites_file",
    "gateway_keys_file",
    "gateway_tls_cert_file",
    "gateway_tls_key_file",
    "gateway_body_bytes",
    "gateway_buffer_bytes",
    "gateway_connections",
    "gateway_read_seconds",
    "gateway_ack_seconds",
    "gateway_idle_seconds",
    "gateway_notice_seconds",
    "gateway_drain_seconds",
    "gateway_session_events_per_second",
    "gateway_token_seconds",
    "log_level",
)
@click.pass_context
def command(context: click.Context, settings: Settings) -> None:
    """Run the gateway: takes events from collectors, answers when Kafka has them.

    Any number of gateways share the load; each uses one core. Serves /v1/events, /collector.js, /healthz, /readyz and
    /metrics. Ends in order at SIGTERM: /readyz turns first, then requests under way are finished.
    """
    if context.invoked_subcommand is not None:
        return
    logs.setup(settings.log_level)
    options = options_of(settings, required_brokers(settings))
    # What the imports left is there for good, and a request leaves no cycles: seldom looking for them is enough.
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    take_all_files()
    try:
        asyncio.run(run_until_signalled(Gateway(options), _told(options)))
    except (FileError, TopicMissingError, CannotListenError) as error:
        raise WrongUse(str(error)) from error
    except NoBrokerError as error:
        raise Unreachable(str(error)) from error


@command.command("sri", context_settings=HELP, epilog="\b\nExample:\n  widget-streams gateway sri")
def sri() -> None:
    """Print the integrity hash of collector.js, for the attribute `integrity` of the script element."""
    script = collector_script()
    if script is None:
        raise Problem(NO_SCRIPT)
    click.echo(script.integrity)


def options_of(settings: Settings, bootstrap: str) -> GatewayOptions:
    """Return the gateway's options.

    Raises:
        WrongUse: A setting that must be there is not, or a file of TLS cannot be used.
    """
    if settings.gateway_sites_file is None:
        raise WrongUse(
            "Who may send? Give --gateway-sites-file, a TOML file of write keys and origins."
            " (`widget-streams token site NAME --origin https://…` writes an entry.)"
        )
    try:
        key = TokenKey(token_secret(settings), settings.token_key_version, settings.raw_personal_data)
    except SettingsError as error:
        raise WrongUse(str(error)) from error
    return GatewayOptions(
        bootstrap=bootstrap,
        topic=topic("events").name(Naming(prefix=settings.topic_prefix)),
        token_key=key,
        host=settings.gateway_host,
        port=settings.gateway_port,
        sites_file=settings.gateway_sites_file,
        keys_file=settings.gateway_keys_file,
        tls=_tls(settings.gateway_tls_cert_file, settings.gateway_tls_key_file),
        body_bytes=settings.gateway_body_bytes,
        buffer_bytes=settings.gateway_buffer_bytes,
        connections=settings.gateway_connections,
        read_seconds=settings.gateway_read_seconds,
        ack_seconds=settings.gateway_ack_seconds,
        idle_seconds=settings.gateway_idle_seconds,
        notice_seconds=settings.gateway_notice_seconds,
        drain_seconds=settings.gateway_drain_seconds,
        broker_wait_seconds=settings.broker_wait_seconds,
        session_events_per_second=settings.gateway_session_events_per_second,
        token_seconds=settings.gateway_token_seconds,
        security=required_security(settings),
    )


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise WrongUse("TLS needs both --gateway-tls-cert-file and --gateway-tls-key-file.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise WrongUse(
            f"The certificate or its key cannot be used: {error.strerror or type(error).__name__}."
        ) from error
    return context


def _told(options: GatewayOptions) -> "Listening":
    return Listening("https" if options.tls else "http", options.host)


class Listening:
    """Tells where the gateway listens."""

    def __init__(self, scheme: str, host: str):
        """Tell it with this scheme and host."""
        self._scheme, self._host = scheme, host

    def __call__(self, port: int) -> None:
        """Tell the port."""
        click.echo(f"The gateway listens at {self._scheme}://{self._host}:{port}")
