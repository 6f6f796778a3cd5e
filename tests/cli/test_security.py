"""Settings of login and encryption become arguments of aiokafka's clients, or a sentence that says what is wrong."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from streams.cli.security import security_of
from streams.cli.worker import options_of
from streams.settings import Settings, SettingsError, load
from tests.certificates import Files, write_certificates

PASSWORD = "correct horse"
SASL = {"security_protocol": "SASL_SSL", "sasl_username": "worker", "sasl_password": PASSWORD}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_certificates(tmp_path_factory.mktemp("certificates"))


def settings(**given: Any) -> Settings:
    """Return settings as the environment would give them: texts."""
    return load({}, environ={f"WIDGET_STREAMS_{name.upper()}": str(value) for name, value in given.items()})


def test_without_settings_it_is_plain_text() -> None:
    """Nothing set: no login, no encryption."""
    assert security_of(settings()).arguments() == {
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": None,
        "sasl_plain_password": None,
    }


def test_a_login_over_tls(files: Files) -> None:
    """User, password, mechanism and the authority are handed on; the brokers' names are checked."""
    arguments = security_of(settings(**SASL, ssl_ca_file=files.ca)).arguments()
    context = arguments.pop("ssl_context")
    assert arguments == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": PASSWORD,
    }
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1


def test_the_engine_is_given_the_same(files: Files) -> None:
    """The options of the worker's engine carry it: its consumer, producer and readers take it from there."""
    options = options_of(settings(**SASL, ssl_ca_file=files.ca), "kafka:9093")
    assert options.security.username == "worker"
    assert options.security.context is not None


def test_a_password_from_a_file_ends_with_its_line(tmp_path: Path) -> None:
    """A file made by an editor ends with a line feed that is no part of the password; blanks are."""
    path = tmp_path / "password"
    path.write_text(f" {PASSWORD} \n", encoding="utf-8")
    given = {name: value for name, value in SASL.items() if name != "sasl_password"}
    assert security_of(settings(**given, sasl_password_file=path)).password == f" {PASSWORD} "


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"sasl_username": "worker"}, "sasl_username is set, but security_protocol is PLAINTEXT"),
        ({"security_protocol": "SASL_PLAINTEXT", "ssl_ca_file": "ca.pem"}, "ssl_ca_file is set, but"),
        ({"security_protocol": "SSL", "sasl_password": PASSWORD}, "sasl_password is set, but"),
        ({"security_protocol": "SASL_SSL", "sasl_password": PASSWORD}, "SASL_USERNAME"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "worker"}, "SASL_PASSWORD_FILE"),
        ({**SASL, "sasl_password": ""}, "is empty"),
        ({"security_protocol": "SSL", "ssl_ca_file": "/nowhere/ca.pem"}, "ssl_ca_file cannot be used: No such file"),
        ({"security_protocol": "SSL", "ssl_key_file": "key.pem"}, "SSL_CERT_FILE"),
        ({"security_protocol": "SSL", "ssl_cert_file": "/nowhere/c.pem"}, "ssl_cert_file or ssl_key_file cannot"),
    ],
)
def test_what_does_not_go_together_is_named(given: dict[str, str], named: str) -> None:
    """The sentence names the setting, and no secret."""
    with pytest.raises(SettingsError, match=named) as told:
        security_of(settings(**given))
    assert PASSWORD not in str(told.value)


@pytest.mark.parametrize(("name", "value"), [("security_protocol", "TLS"), ("sasl_mechanism", "GSSAPI")])
def test_an_unknown_word_is_refused(name: str, value: str) -> None:
    """Words that aiokafka would not know, or that were not tried, stop the start."""
    with pytest.raises(SettingsError, match=name.upper()):
        settings(**{name: value})


def test_a_file_that_is_no_certificate_is_not_repeated(tmp_path: Path) -> None:
    """What stands in a wrong file stays there: it may be a key."""
    path = tmp_path / "wrong.pem"
    path.write_text("a secret that is no certificate", encoding="utf-8")
    with pytest.raises(SettingsError, match="ssl_ca_file cannot be used") as told:
        security_of(settings(security_protocol="SSL", ssl_ca_file=path))
    assert "a secret" not in str(told.value)


def test_a_key_with_a_password_does_not_ask_at_the_terminal(files: Files, tmp_path: Path) -> None:
    """It is refused: a service has no terminal."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(files.client_key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"locked")))
    with pytest.raises(SettingsError, match="ssl_key_file cannot be used"):
        security_of(settings(security_protocol="SSL", ssl_cert_file=files.client_cert, ssl_key_file=locked))


def test_the_password_is_not_shown() -> None:
    """Whoever prints the settings or the options sees no password."""
    given = settings(**SASL)
    assert PASSWORD not in repr(given)
    assert PASSWORD not in repr(security_of(given))
