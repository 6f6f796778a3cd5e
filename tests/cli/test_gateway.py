"""`gateway` says in one sentence why it does not start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

SITE = (
    '[[site]]\nname = "main"\nwrite_key = "wk_of-the-test-0123456789abcdefghij"\norigins = ["https://page.example"]\n'
)


def started(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run the gateway as a process of its own, for it changes limits of its process; no Kafka is there."""
    sites = folder / "sites.toml"
    sites.write_text(SITE, encoding="utf-8")
    told = [
        "--bootstrap-servers", "127.0.0.1:1", "--broker-wait-seconds", "0.2",
        "--gateway-sites-file", os.fspath(sites), "--gateway-port", str(port),
    ]  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", "from streams.cli.main import main; main()", "gateway", *told],
        env={**os.environ, "WIDGET_STREAMS_TOKEN_KEY": "a-secret-of-the-test-of-32-letters"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """Exit code 2, the port and the flag for another one; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = started(tmp_path, port)
    assert done.returncode == 2, done.stderr
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert "--gateway-port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_free_port_is_not_what_stops_it(tmp_path: Path) -> None:
    """With a port of its own it goes on to Kafka, which is not there: exit code 3."""
    done = started(tmp_path, 0)
    assert done.returncode == 3, done.stderr
    assert "No Kafka answered at 127.0.0.1:1" in done.stderr
