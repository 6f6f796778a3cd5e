"""A page with the collector and a stand-in widget on another origin, to look at in a browser.

    stand-in widget (iframe) --postMessage--> page with collector.js --HTTP--> gateway

The stand-in plays invented calls. Both origins are on loopback; the files beside this module are served as they are,
but for the addresses that are filled in.
"""

import html
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from streams.collector import integrity, script

TYPES: Final = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css"}
POLL_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Served:
    """Where the page is."""

    url: str
    """What to open in a browser."""
    origin: str
    """The page's origin: what the write key must allow."""
    widget_origin: str


class _File(NamedTuple):
    kind: str
    content: bytes
    policy: str


@contextmanager
def serve(
    collector: str, key: str, *, endpoint: str = "", page_port: int = 0, widget_port: int = 0
) -> Iterator[Served]:
    """Serve page and widget until the block is left.

    Args:
        collector: Address of `collector.js`, as the gateway serves it; must be the script of this release.
        key: Write key of the page.
        endpoint: Where batches go; empty: beside the script.
        page_port: Port of the page on 127.0.0.1; 0 takes a free one.
        widget_port: Port of the stand-in widget; another host name makes it another site for the browser.
    """
    page_server, widget_server = (_listen(port) for port in (page_port, widget_port))
    served = Served(
        url=f"http://127.0.0.1:{page_server.server_port}/",
        origin=f"http://127.0.0.1:{page_server.server_port}",
        widget_origin=f"http://localhost:{widget_server.server_port}",
    )
    values = {
        "collector": collector,
        "integrity": integrity(script()),
        "key": key,
        "endpoint": endpoint,
        "widget": served.widget_origin,
    }
    page_server.RequestHandlerClass = _handler(_page_files(values, endpoint or collector))
    widget_server.RequestHandlerClass = _handler(_widget_files())
    servers = (page_server, widget_server)
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
    try:
        yield served
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _listen(port: int) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)


def _page_files(values: dict[str, str], gateway: str) -> dict[str, _File]:
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'self';"
        f" script-src 'self' {_origin(values['collector'])}; connect-src {_origin(gateway)};"
        f" frame-src {values['widget']}"
    )
    page = _read("page.html").decode()
    for name, value in values.items():
        page = page.replace(f"{{{name}}}", html.escape(value))
    named = {"/page.js": _file("page.js", policy), "/page.css": _file("page.css", policy)}
    return {"/": _File(TYPES["html"], page.encode(), policy), **named}


def _widget_files() -> dict[str, _File]:
    policy = "default-src 'none'; script-src 'self'; style-src 'self'"
    names = {"/": "widget.html", "/widget.js": "widget.js", "/page.css": "page.css"}
    return {path: _file(name, policy) for path, name in names.items()}


def _file(name: str, policy: str) -> _File:
    return _File(TYPES[name.rsplit(".", 1)[-1]], _read(name), policy)


def _read(name: str) -> bytes:
    return files(__name__).joinpath(name).read_bytes()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _handler(served: dict[str, _File]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = served.get(urlsplit(self.path).path)
            self.send_response(200 if found else 404)
            self.send_header("cache-control", "no-store")
            if found:
                self.send_header("content-type", found.kind)
                self.send_header("content-security-policy", found.policy)
            self.send_header("content-length", str(len(found.content) if found else 0))
            self.end_headers()
            self.wfile.write(found.content if found else b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo has a screen of its own."""

    return Handler
