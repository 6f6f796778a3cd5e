"""`serve` does not start where it would show people to strangers, and says what is wrong with what it was given."""

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.main import main

TOKEN = "an-invented-token-of-32-letters!"
KAFKA = ("--bootstrap-servers", "127.0.0.1:1")


def refused(*arguments: str) -> str:
    """Run the command, which must end with 2, and return what it says."""
    done = CliRunner().invoke(main, ["serve", *KAFKA, "--serve-port", "0", *arguments])
    assert done.exit_code == 2, done.output
    return done.output


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "board.example"])
def test_other_machines_need_a_token(host: str) -> None:
    """Without one it listens on this machine or not at all."""
    assert "--serve-tokens-file" in refused("--serve-host", host)


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--serve-tokens-file", "/nowhere/tokens", "serve_tokens_file"),
        ("--serve-cors-origins", "*", "serve_cors_origins"),
        ("--serve-time-zone", "Mars/Olympus", "serve_time_zone"),
        ("--serve-time-zone", "../etc/passwd", "serve_time_zone"),
        ("--serve-requests-per-second", "0", "--serve-requests-per-second"),
    ],
)
def test_a_wrong_setting_is_named(option: str, value: str, named: str) -> None:
    """Before anything is served."""
    assert named in refused(option, value)


def test_a_token_that_is_too_short_is_not_shown(tmp_path: Path) -> None:
    """Nobody reads it over a shoulder."""
    file = tmp_path / "tokens"
    file.write_text("short-one\n", encoding="utf-8")
    text = refused("--serve-host", "0.0.0.0", "--serve-tokens-file", os.fspath(file))
    assert "at least 16" in text
    assert "short-one" not in text


def test_a_port_that_is_taken_is_named() -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(main, ["serve", *KAFKA, "--serve-port", str(port)])
    assert done.exit_code == 2
    assert f"Port {port}" in done.output
    assert "--serve-port" in done.output
