"""Ask a broker whether it answers, in Kafka's own protocol and without a client library."""

import socket
import struct
from typing import Final

from streams.local.ports import HOST

_API_VERSIONS: Final = 18
_CORRELATION: Final = 4711


def answers(port: int, timeout_seconds: float = 2.0) -> bool:
    """Tell whether a Kafka broker on the port answers an ApiVersions request (version 0, which every broker knows)."""
    request = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION, -1)
    try:
        with socket.create_connection((HOST, port), timeout_seconds) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    if len(answer) < 10:
        return False
    _, correlation, error_code = struct.unpack(">iih", answer)
    return bool(correlation == _CORRELATION and error_code == 0)
