"""Login and encryption of the connection to Kafka, made of the settings: the same for every client of ours."""

import ssl
from typing import Final, cast

from streams.cli.errors import WrongUse
from streams.security import Mechanism, Protocol, Security
from streams.settings import PREFIX, Settings, SettingsError

SECURITY: Final = (
    "security_protocol",
    "sasl_mechanism",
    "sasl_username",
    "sasl_password_file",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_key_file",
)
"""The settings that are options of every command that connects; the password itself is none."""

_OF_SASL: Final = ("sasl_username", "sasl_password", "sasl_password_file")
_OF_TLS: Final = ("ssl_ca_file", "ssl_cert_file", "ssl_key_file")


def security_of(settings: Settings) -> Security:
    """Return how to speak to the brokers.

    Raises:
        SettingsError: Settings that do not go together, or a file that cannot be used; secrets are not repeated.
    """
    protocol = settings.security_protocol
    has_sasl, has_tls = protocol.startswith("SASL_"), protocol.endswith("SSL")
    _refuse_unused(settings, _OF_SASL, "SASL_SSL or SASL_PLAINTEXT", is_used=has_sasl)
    _refuse_unused(settings, _OF_TLS, "SSL or SASL_SSL", is_used=has_tls)
    return Security(
        protocol=cast(Protocol, protocol),
        mechanism=cast(Mechanism, settings.sasl_mechanism),
        username=_username(settings) if has_sasl else None,
        password=_password(settings) if has_sasl else None,
        context=_context(settings) if has_tls else None,
    )


def required_security(settings: Settings) -> Security:
    """Return how to speak to the brokers.

    Raises:
        WrongUse: See `security_of`.
    """
    try:
        return security_of(settings)
    except SettingsError as error:
        raise WrongUse(str(error)) from error


def _refuse_unused(settings: Settings, names: tuple[str, ...], wanted: str, *, is_used: bool) -> None:
    """Refuse settings that would do nothing: whoever set them believes that the connection is safe."""
    given = [name for name in names if getattr(settings, name) is not None]
    if given and not is_used:
        raise SettingsError(
            f"{given[0]} is set, but security_protocol is {settings.security_protocol}, so it would not be used:"
            f" set {PREFIX}SECURITY_PROTOCOL to {wanted}."
        )


def _username(settings: Settings) -> str:
    if settings.sasl_username is None:
        raise SettingsError(f"SASL needs a user: set {PREFIX}SASL_USERNAME.")
    return settings.sasl_username


def _password(settings: Settings) -> str:
    if settings.sasl_password is not None:
        password = settings.sasl_password.get_secret_value()
    elif settings.sasl_password_file is not None:
        try:
            password = settings.sasl_password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"sasl_password_file cannot be read: {_reason(error)}.") from None
    else:
        raise SettingsError(f"SASL needs a password: set {PREFIX}SASL_PASSWORD_FILE to a file that holds it.")
    if not password:
        raise SettingsError("The password of SASL is empty.")
    return password


def _context(settings: Settings) -> ssl.SSLContext:
    if settings.ssl_key_file is not None and settings.ssl_cert_file is None:
        raise SettingsError(f"ssl_key_file is set without its certificate: set {PREFIX}SSL_CERT_FILE.")
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
    except OSError as error:
        raise SettingsError(f"ssl_ca_file cannot be used: {_reason(error)}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ssl_cert_file is not None:
        try:
            # NB: an empty password instead of none: for a key that has one, Python would ask at the terminal.
            context.load_cert_chain(settings.ssl_cert_file, settings.ssl_key_file, password="")
        except (OSError, ValueError) as error:
            raise SettingsError(f"ssl_cert_file or ssl_key_file cannot be used: {_reason(error)}.") from None
    return context


def _reason(error: Exception) -> str:
    """Say why without what was read: an SSLError has a reason, an OSError a text of the system."""
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__)
