"""Ports on the loopback address: free ones for a cluster, and who holds one that is taken."""

import secrets
import socket
from pathlib import Path
from typing import Final

from streams.local.errors import WrongRequestError

HOST: Final = "127.0.0.1"
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
_TRIES: Final = 400


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on now. Somebody may take one before it is used: be ready to ask again.

    NB: they lie below the range from which Linux takes the ports of outgoing connections. A client that keeps calling a
    stopped broker would, inside that range, sooner or later be given the broker's own port and hold it.
    """
    found: list[int] = []
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in found and is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise WrongRequestError(f"No {count} free ports between {_LOWEST} and {_HIGHEST} on {HOST}. Stop what holds them.")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
            server.listen(1)
        except OSError:
            return False
    return True


def require_free(ports: list[int]) -> None:
    """Refuse ports that are taken.

    Raises:
        WrongRequestError: Names the port, the process that holds it if this can be seen, and what to do.
    """
    for port in ports:
        if not is_free(port):
            raise WrongRequestError(f"Port {port} is taken{_by_whom(port)}. Stop that, or choose another with --port.")


def _by_whom(port: int) -> str:
    pid = holder(port)
    if pid is None:
        return " by another process"
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f" by process {pid} ({command[:60]})"


def holder(port: int) -> int | None:
    """Find the process that listens on the port; None when it is not ours to see, or not on Linux."""
    sockets = {
        f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net") / table, port)
    }
    if not sockets:
        return None
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if descriptor.readlink().name in sockets:
                return int(descriptor.parts[2])
        except OSError:
            continue
    return None


def _listening(table: Path, port: int) -> list[str]:
    """Give the inodes of the table's sockets that listen on the port (state 0A; columns as in proc(5))."""
    try:
        rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]
