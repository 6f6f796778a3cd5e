"""Free ports are free, taken ones are told, and a broker is told from another server."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local import probe
from streams.local.cluster import places
from streams.local.errors import WrongRequestError
from streams.local.ports import HOST, free_ports, holder, is_free, require_free
from streams.local.properties import Place


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """Give a server that accepts and says nothing."""
    with socket.create_server((HOST, free_ports(1)[0])) as server:
        yield server


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_free_ports_are_different_and_free() -> None:
    """And below the range from which the kernel takes ports for outgoing connections."""
    ports = free_ports(6)
    assert len(set(ports)) == 6
    assert all(is_free(port) for port in ports)
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports) < max(lowest_outgoing, 32_000)


def test_a_taken_port_is_told_with_its_holder(taken: socket.socket) -> None:
    """The sentence names port, process and the option that helps."""
    port = port_of(taken)
    assert holder(port) == os.getpid()
    with pytest.raises(WrongRequestError, match=rf"Port {port} is taken by process {os.getpid()} \(.*--port"):
        require_free([*free_ports(1), port])
    with pytest.raises(WrongRequestError, match=rf"Port {port} is taken"):
        places(3, port - 5)


def test_brokers_take_the_first_ports_and_controllers_the_next() -> None:
    """Three nodes from one port on; ports end at 65535."""
    first = next(port for port in free_ports(40) if all(is_free(port + more) for more in range(6)))
    assert places(3, first) == [Place(node, first + node - 1, first + node + 2) for node in (1, 2, 3)]
    with pytest.raises(WrongRequestError, match="choose a lower --port"):
        places(1, 65_535)


def test_nobody_and_another_server_do_not_answer_as_a_broker() -> None:
    """An HTTP server, a server that hangs up and a silent one are no brokers."""
    assert not probe.answers(free_ports(1)[0])
    for says in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\0\0\0\6\0\0\0\1\0\0"):
        with socket.create_server((HOST, 0)) as server:
            thread = threading.Thread(target=_say_once, args=(server, says))
            thread.start()
            assert not probe.answers(port_of(server), timeout_seconds=1)
            thread.join()


def test_a_silent_server_does_not_hold_the_probe(taken: socket.socket) -> None:
    """The probe gives up after its time."""
    assert not probe.answers(port_of(taken), timeout_seconds=0.1)


def _say_once(server: socket.socket, says: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(says)
