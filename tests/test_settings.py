"""Settings: flags over environment over file, each checked, each named when it is wrong (CONTRACT 9)."""

from pathlib import Path
from typing import Any

import pytest

from streams.settings import MIN_SECRET, NAMES, Settings, SettingsError, load, token_secret

SECRET = "a secret that must never be shown"
DEFAULTS = load({}, environ={})


def a_file(folder: Path, text: str) -> Path:
    """Return a settings file."""
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(
    *, flags: dict[str, Any] | None = None, environ: dict[str, str] | None = None, config: Path | None = None
) -> str:
    """Return the sentence with which settings are refused."""
    with pytest.raises(SettingsError) as error:
        load(flags or {}, environ=environ or {}, config=config)
    return str(error.value)


def test_a_flag_beats_a_variable_and_a_variable_the_file(tmp_path: Path) -> None:
    """Each source fills what the better ones leave open."""
    config = a_file(tmp_path, 'topic_prefix = "file."\ngroup = "file"\ninstance_id = "file"')
    environ = {"WIDGET_STREAMS_GROUP": "variable", "WIDGET_STREAMS_INSTANCE_ID": "variable"}
    found = load({"instance_id": "flag", "group": None}, environ=environ, config=config)
    assert (found.instance_id, found.group, found.topic_prefix) == ("flag", "variable", "file.")
    assert found.health_port == DEFAULTS.health_port


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    """The flag `--config` beats it."""
    environ = {"WIDGET_STREAMS_CONFIG": str(a_file(tmp_path, 'group = "named"'))}
    assert load({}, environ=environ).group == "named"
    (tmp_path / "other").mkdir()
    assert load({}, environ=environ, config=a_file(tmp_path / "other", 'group = "given"')).group == "given"


def test_variables_that_are_not_ours_are_left_alone() -> None:
    """And so are those of the embedded Kafka and of the tests."""
    environ = {
        "GROUP": "x",
        "WIDGET_STREAM_GROUP": "x",
        "WIDGET_STREAMS_JAVA": "/j",
        "WIDGET_STREAMS_MAVEN_MIRROR": "m",
    }
    assert load({}, environ=environ) == DEFAULTS


def test_addresses_that_kubernetes_puts_beside_a_service_are_no_settings() -> None:
    """A Service named widget-streams, or widget-streams-worker, must not keep its own pods from starting."""
    links = {
        "SERVICE_HOST": "10.0.0.7", "SERVICE_PORT": "6066", "SERVICE_PORT_METRICS": "6066", "PORT": "tcp://10.0.0.7:6066",
        "PORT_6066_TCP": "tcp://10.0.0.7:6066", "PORT_6066_TCP_PROTO": "tcp", "PORT_6066_TCP_PORT": "6066",
        "PORT_6066_TCP_ADDR": "10.0.0.7",
    }  # fmt: skip
    for service in ("WIDGET_STREAMS_", "WIDGET_STREAMS_WORKER_", "WIDGET_STREAMS_GATEWAY_"):
        assert load({}, environ={service + name: value for name, value in links.items()}) == DEFAULTS
    assert "WIDGET_STREAMS_PORT" in refused(environ={"WIDGET_STREAMS_PORT": "6066"})
    assert "WIDGET_STREAMS_HEALTH_PORT is wrong" in refused(environ={"WIDGET_STREAMS_HEALTH_PORT": "tcp://10.0.0.7:1"})


def test_an_unknown_name_is_named_with_where_it_stands(tmp_path: Path) -> None:
    """A misspelt setting must not be a setting that does nothing; the right names are told."""
    text = refused(environ={"WIDGET_STREAMS_GRUOP": "x"}, config=a_file(tmp_path, 'prefix = "x"'))
    assert "WIDGET_STREAMS_GRUOP" in text
    assert "prefix in" in text
    assert "settings.toml" in text
    assert all(name in text for name in NAMES)


WRONG = [
    ("identity_wait_seconds", "0"), ("identity_wait_seconds", "-1"), ("identity_wait_seconds", "86401"),
    ("identity_wait_seconds", "nan"), ("identity_wait_seconds", "soon"), ("commit_interval_seconds", "0.001"),
    ("session_timeout_seconds", "0.5"), ("health_port", "65536"), ("health_port", "-1"), ("health_port", "http"),
    ("topic_prefix", "a/b"), ("topic_prefix", "a" * 101), ("group", ""), ("group", "a b"), ("instance_id", ""),
    ("token_key_version", "0"), ("token_key_version", "10000"), ("raw_personal_data", "maybe"), ("log_level", "loud"),
    ("gateway_port", "65536"), ("gateway_port", "http"), ("gateway_body_bytes", "1000"), ("gateway_body_bytes", "1e12"),
    ("gateway_buffer_bytes", "0"), ("gateway_connections", "0"), ("gateway_connections", "many"),
    ("gateway_notice_seconds", "-1"), ("gateway_notice_seconds", "601"), ("gateway_session_events_per_second", "0"),
    ("security_protocol", "TLS"), ("sasl_mechanism", "GSSAPI"), ("sasl_username", ""),
    ("serve_port", "65536"), ("serve_cors_origins", "x" * 10_001), ("serve_requests_per_second", "0"),
    ("serve_streams", "0"), ("serve_time_zone", "x" * 101),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_as_it_was_given(tmp_path: Path, name: str, value: str) -> None:
    """By the flag, the variable or the line of the file."""
    assert refused(flags={name: value}).startswith(f"--{name.replace('_', '-')} is wrong")
    assert refused(environ={f"WIDGET_STREAMS_{name.upper()}": value}).startswith(
        f"WIDGET_STREAMS_{name.upper()} is wrong"
    )
    config = a_file(tmp_path, f'{name} = "{value}"')
    assert refused(config=config).startswith(f"{name} in {config} is wrong")


def test_every_bound_is_tried_above() -> None:
    """Each setting whose type allows some texts only has a wrong one in the list."""
    free = {
        "bootstrap_servers",
        "token_key",
        "token_key_file",
        "health_host",
        "gateway_host",
        "serve_host",
        "serve_tokens_file",
    }
    free |= {f"gateway_{name}_file" for name in ("sites", "keys", "tls_cert", "tls_key")}
    free |= {"sasl_password", "sasl_password_file", "ssl_ca_file", "ssl_cert_file", "ssl_key_file"}
    alike = {"mark_interval_seconds", "broker_wait_seconds"}
    alike |= {f"gateway_{name}_seconds" for name in ("read", "ack", "idle", "drain", "token")}
    assert {name for name, _ in WRONG} == NAMES - free - alike


@pytest.mark.parametrize("text", ["group = ", "[kafka]\ngroup = 'x'", "group = 5", b"\xff\xfe"])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str | bytes) -> None:
    """No TOML, a table where there is none, a value of another type, no text at all."""
    path = tmp_path / "settings.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert "settings.toml" in refused(config=path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what the system says."""
    assert "none.toml cannot be read: No such file" in refused(config=tmp_path / "none.toml")
    assert "cannot be read" in refused(environ={"WIDGET_STREAMS_CONFIG": str(tmp_path)})


def test_settings_cannot_be_changed() -> None:
    """They are read once."""
    with pytest.raises(Exception, match="frozen"):
        DEFAULTS.group = "x"


def test_the_secret_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    """A file is stripped of the line end that editors leave."""
    path = tmp_path / "token.key"
    path.write_text(SECRET + "\n", encoding="utf-8")
    assert token_secret(load({}, environ={"WIDGET_STREAMS_TOKEN_KEY": SECRET})) == SECRET.encode()
    assert token_secret(load({"token_key_file": str(path)}, environ={})) == SECRET.encode()


@pytest.mark.parametrize("length", [0, MIN_SECRET - 1, MIN_SECRET])
def test_a_short_secret_is_refused(length: int) -> None:
    """Whoever can guess it can read every number."""
    settings = load({}, environ={"WIDGET_STREAMS_TOKEN_KEY": "x" * length})
    if length >= MIN_SECRET:
        assert len(token_secret(settings)) == length
        return
    with pytest.raises(SettingsError, match="at least 16"):
        token_secret(settings)


def test_without_a_secret_nothing_starts_and_the_fix_is_told(tmp_path: Path) -> None:
    """No default: it must differ from place to place."""
    with pytest.raises(SettingsError, match="WIDGET_STREAMS_TOKEN_KEY_FILE"):
        token_secret(load({}, environ={}))
    with pytest.raises(SettingsError, match="token_key_file cannot be read: No such file"):
        token_secret(load({"token_key_file": str(tmp_path / "none")}, environ={}))


def test_the_secret_is_never_shown(tmp_path: Path) -> None:
    """Not by the settings, and not by an error about them."""
    settings = load({}, environ={"WIDGET_STREAMS_TOKEN_KEY": SECRET})
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump_json()}"
    config = a_file(tmp_path, f'token_key = ["{SECRET}"]')
    assert SECRET not in refused(config=config)
    assert SECRET not in refused(
        config=config, environ={"WIDGET_STREAMS_TOKEN_KEY": SECRET, "WIDGET_STREAMS_X": SECRET}
    )


def test_every_setting_is_described() -> None:
    """With a sentence; units are in the names."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
