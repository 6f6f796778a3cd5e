"""A page with the collector, and a stand-in widget on another origin, served to a real browser."""

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from streams.collector import integrity, script

WIDGET: Final = """<!doctype html><title>stand-in widget</title><script>
window.calls = []; window.asked = [];
function post(events) { for (const event of events) parent.postMessage(event, '*'); return events.length; }
addEventListener('message', (message) => {
  asked.push(message.data.type);
  if (message.data.type === 'rc-adapter-webphone-sessions-sync')
    parent.postMessage({type: 'rc-webphone-sessions-sync', calls}, '*');
});
async function play(messages, speed) {
  const begun = performance.now(), first = messages[0].at_ms;
  for (const message of messages) {
    const due = begun + (message.at_ms - first) / speed;
    const left = due - performance.now();
    if (left > 1) await new Promise((resolve) => setTimeout(resolve, left));
    parent.postMessage(message.data, '*');
  }
}
</script>"""

PAGE: Final = """<!doctype html><html lang="en"><title>host page</title>
<script src="/host.js"></script>
<script src="/collector.js" {integrity} {attributes}></script>
<iframe id="widget" src="{widget}/widget"></iframe></html>"""

HOST: Final = """window.heard = []; window.errors = []; window.violations = []; window.drops = [];
addEventListener('error', (event) => errors.push(event.message));
addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)));
document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
addEventListener('message', (event) => heard.push(event.data && event.data.type));
window.WidgetStreamsConfig = { onDrop: (drop) => { drops.push(drop); if (window.isAngry) throw new Error("host"); } };
"""


class Site:
    """Two origins on this machine: `page` for the host's pages, `widget` for the iframe."""

    def __init__(self) -> None:
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) for _ in range(2)]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        page, widget = (server.server_port for server in self._servers)
        self.page = f"http://127.0.0.1:{page}"
        # Another host name too: browsers then keep the frame in a process of its own, as they do with the real widget.
        self.widget = f"http://localhost:{widget}"

    def address(self, **attributes: str) -> str:
        """Return the address of a page whose script tag has these attributes; `csp` and `sri` are the page's own."""
        return f"{self.page}/page?{urlencode({'widget-origins': self.widget, **attributes})}"

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                kind, body, headers = site.serve(parts.path, dict(parse_qsl(parts.query)))
                self.send_response(200 if body else 404)
                self.send_header("access-control-allow-origin", "*")
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler

    def serve(self, path: str, query: dict[str, str]) -> tuple[str, bytes, dict[str, str]]:
        """Return type, body and headers of a path."""
        if path == "/page":
            return self._page(query)
        if path == "/widget":
            return "text/html", WIDGET.encode(), {}
        files = {"/collector.js": script(), "/host.js": HOST.encode()}
        return "text/javascript", files.get(path, b""), {}

    def _page(self, query: dict[str, str]) -> tuple[str, bytes, dict[str, str]]:
        headers = {}
        check = query.pop("sri", "") and f'integrity="{integrity(script())}" crossorigin="anonymous"'
        if query.pop("csp", ""):
            endpoint = urlsplit(query["endpoint"])
            headers["content-security-policy"] = (
                f"default-src 'none'; script-src 'self'; connect-src {endpoint.scheme}://{endpoint.netloc};"
                f" frame-src {self.widget}; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'"
            )
        attributes = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in query.items())
        body = PAGE.format(integrity=check, attributes=attributes, widget=self.widget)
        return "text/html; charset=utf-8", body.encode(), headers
