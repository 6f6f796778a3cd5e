"""Settings: flags, then WIDGET_STREAMS_* variables, then a TOML file; an unknown name or a wrong value stops the start.

Each field has its unit in its name and its bounds in its type. What must differ from place to place has no default.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

PREFIX = "WIDGET_STREAMS_"
BESIDE = frozenset({"CONFIG", "JAVA", "MAVEN_MIRROR", "TEST_BOOTSTRAP"})
"""Variables with our prefix that are no settings of the services."""

_SERVICE_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]
MIN_SECRET = 16


class SettingsError(Exception):
    """A setting is missing, unknown or wrong; the text names it and says what is allowed, never a secret value."""


class Settings(BaseModel):
    """Everything that can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap_servers: str | None = Field(None, description="Kafka brokers, host:port separated by commas.")
    security_protocol: str = Field(
        "PLAINTEXT",
        pattern=r"^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
        description="How to speak to the brokers: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    )
    sasl_mechanism: str = Field(
        "SCRAM-SHA-512",
        pattern=r"^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$",
        description="How to log in with SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
    )
    sasl_username: str | None = Field(None, min_length=1, max_length=1000, description="User to log in with SASL.")
    sasl_password: SecretStr | None = Field(None, description="Password of that user. No flag: others could read it.")
    sasl_password_file: Path | None = Field(None, description="File that holds the password of that user.")
    ssl_ca_file: Path | None = Field(
        None, description="Certificates (PEM) that the brokers' must be signed by; without it those of this machine."
    )
    ssl_cert_file: Path | None = Field(None, description="Certificate chain (PEM) to log in with at the brokers.")
    ssl_key_file: Path | None = Field(None, description="Private key of that certificate (PEM, without a password).")
    topic_prefix: str = Field("widget.", pattern=r"^[a-zA-Z0-9._-]{0,100}$", description="Begins every topic's name.")
    group: str = Field(
        "widget-streams",
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Kafka group of the workers; begins the names of internal topics.",
    )
    instance_id: str | None = Field(
        None,
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Name of this worker's place, the same after a restart: static membership and transactional id.",
    )
    token_key: SecretStr | None = Field(
        None, description="Secret of the tokens, at least 16 characters. No flag: others could read it."
    )
    token_key_file: Path | None = Field(
        None, description="File that holds the secret of the tokens, at least 16 characters."
    )
    token_key_version: int = Field(1, ge=1, le=9999, description="Stands in every token; raise it with a new secret.")
    raw_personal_data: bool = Field(False, description="Keep phone numbers readable: an explicit opt-in.")
    identity_wait_seconds: Seconds = Field(30, description="How long an event waits for its page load's login.")
    mark_interval_seconds: Seconds = Field(2, description="How often each source partition tells its stream time.")
    commit_interval_seconds: Annotated[float, Field(ge=0.01, le=10)] = Field(
        0.1, description="Shortest time between the beginnings of two transactions."
    )
    session_timeout_seconds: Annotated[float, Field(ge=1, le=1800)] = Field(
        6, description="A worker that is silent for so long loses its partitions; the brokers allow 6 or more."
    )
    broker_wait_seconds: Seconds = Field(60, description="How long to wait for Kafka at the start before giving up.")
    health_host: str = Field("127.0.0.1", description="Address of /metrics and /health.")
    health_port: Port = Field(6066, description="Port of /metrics and /health; 0 takes a free one.")
    gateway_host: str = Field("127.0.0.1", description="Address of the gateway.")
    gateway_port: Port = Field(8080, description="Port of the gateway; 0 takes a free one.")
    gateway_sites_file: Path | None = Field(
        None, description="TOML file of the sites that may send: write keys and origins. Read again when it changes."
    )
    gateway_keys_file: Path | None = Field(
        None, description="JSON Web Key Set that identity tokens are checked with. Read again when it changes."
    )
    gateway_tls_cert_file: Path | None = Field(None, description="Certificate chain (PEM); without it plain HTTP.")
    gateway_tls_key_file: Path | None = Field(None, description="Private key of the certificate (PEM).")
    gateway_body_bytes: Annotated[int, Field(ge=300_000, le=64 * 2**20)] = Field(
        2**20, description="Largest body, also after decompression."
    )
    gateway_buffer_bytes: Annotated[int, Field(ge=2**20, le=2**34)] = Field(
        64 * 2**20, description="Bodies being read and records not yet confirmed; beyond it the answer is 503."
    )
    gateway_connections: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="Connections at once; further ones are cut."
    )
    gateway_read_seconds: Seconds = Field(10, description="Longest that a body may take to come.")
    gateway_ack_seconds: Seconds = Field(10, description="Longest wait for Kafka's confirmation, then 503.")
    gateway_idle_seconds: Seconds = Field(75, description="Longest silence on a connection, headers included.")
    gateway_notice_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        3, description="After SIGTERM /readyz says 503 for so long before nothing new is let in."
    )
    gateway_drain_seconds: Seconds = Field(15, description="Longest wait at the end for requests under way.")
    gateway_session_events_per_second: Annotated[float, Field(gt=0, le=100_000)] = Field(
        50, description="What one page load may send; ten times as many at once after silence."
    )
    gateway_token_seconds: Seconds = Field(3_600, description="Longest life of an identity token.")
    serve_host: str = Field("127.0.0.1", description="Address of the live state and the wallboard.")
    serve_port: Port = Field(8081, description="Port of the live state and the wallboard; 0 takes a free one.")
    serve_tokens_file: Path | None = Field(
        None, description="File of bearer tokens, one a line. Read again when it changes. None: this machine only."
    )
    serve_cors_origins: str = Field(
        "", max_length=10_000, description="Origins whose pages may ask, https://host[:port] separated by commas."
    )
    serve_requests_per_second: Annotated[float, Field(ge=0.1, le=100_000)] = Field(
        50, description="What one client may ask; ten times as many at once after silence."
    )
    serve_streams: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="Most viewers of the stream at once."
    )
    serve_time_zone: str = Field("UTC", max_length=100, description="Time zone in which today begins at midnight.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")


NAMES = frozenset(Settings.model_fields)


def load(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Return the settings of all sources.

    Args:
        flags: Values given on the command line; None means not given.
        environ: Environment, by default the process's.
        config: A TOML file, by default the one that WIDGET_STREAMS_CONFIG names.

    Raises:
        SettingsError: An unknown name or a wrong value in any source, or a file that cannot be read.
    """
    environ = os.environ if environ is None else environ
    config = config or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    given: dict[str, tuple[Any, str]] = {}
    for name, value in (_file(config) if config else {}).items():
        given[name] = value, f"{name} in {config}"
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and not _is_beside(variable.removeprefix(PREFIX), value):
            given[variable.removeprefix(PREFIX).lower()] = value, variable
    for name, value in flags.items():
        if value is not None:
            given[name] = value, "--" + name.replace("_", "-")
    return _check(given)


def _is_beside(name: str, value: str) -> bool:
    # A Service named widget-streams-gateway is what one expects, and its address is no port.
    is_ours = name.lower() in NAMES and name != "GATEWAY_PORT"
    return name in BESIDE or (not is_ours and _is_service_link(name, value))


def _is_service_link(name: str, value: str) -> bool:
    """Tell what Kubernetes puts into every pod beside a Service of our name: addresses, no settings of ours."""
    return _SERVICE_LINK.fullmatch(name) is not None or (
        name.endswith("PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is no TOML: {error}.") from error


def _check(given: Mapping[str, tuple[Any, str]]) -> Settings:
    unknown = sorted(place for name, (_, place) in given.items() if name not in NAMES)
    if unknown:
        raise SettingsError(f"There is no setting {', '.join(unknown)}. The settings are: {', '.join(sorted(NAMES))}.")
    try:
        return Settings(**{name: value for name, (value, _) in given.items()})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        name = str(problem["loc"][0])
        raise SettingsError(f"{given[name][1]} is wrong: {problem['msg']}.") from None


def token_secret(settings: Settings) -> bytes:
    """Return the secret of the tokens.

    Raises:
        SettingsError: None is set, it is too short, or its file cannot be read.
    """
    if settings.token_key is not None:
        secret = settings.token_key.get_secret_value().encode()
    elif settings.token_key_file is not None:
        try:
            secret = settings.token_key_file.read_bytes().strip()
        except OSError as error:
            raise SettingsError(f"token_key_file cannot be read: {error.strerror}.") from error
    else:
        raise SettingsError(
            "There is no secret to make tokens of phone numbers with, and without one nothing may be written: set"
            f" {PREFIX}TOKEN_KEY_FILE to a file with at least {MIN_SECRET} random characters"
            " (head -c 32 /dev/urandom | base64 > token.key)."
        )
    if len(secret) < MIN_SECRET:
        raise SettingsError(f"The secret of the tokens is too short: it needs at least {MIN_SECRET} characters.")
    return secret
