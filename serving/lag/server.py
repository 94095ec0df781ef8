"""`/metrics` and `/healthz` of the collector, on a small threaded server."""

import http.server
import threading
from collections.abc import Callable
from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from serving.lag.errors import PortInUseError


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class MetricsServer:
    """Serves what `metrics` renders; `health` returns what is wrong, or nothing. Port 0 takes a free one, see `port`.

    A context manager: entering binds (PortInUseError if it cannot) and answers from a daemon thread.
    """

    def __init__(self, metrics: Callable[[], bytes], health: Callable[[], str | None], host: str, port: int) -> None:
        self._metrics = metrics
        self._health = health
        self._host = host
        self._wanted_port = port

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._server.server_address[1])

    def __enter__(self) -> "MetricsServer":
        try:
            self._server = _Server((self._host, self._wanted_port), _handler(self._metrics, self._health))
        except (OSError, OverflowError) as error:
            raise PortInUseError(f"cannot listen on {self._host}:{self._wanted_port}: {error}") from None
        threading.Thread(target=self._server.serve_forever, name="lag-metrics", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(
    metrics: Callable[[], bytes], health: Callable[[], str | None]
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            match self.path.split("?")[0]:
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_PLAIN_0_0_4, metrics())
                case "/healthz":
                    wrong = health()
                    self._answer(503 if wrong else 200, "text/plain; charset=utf-8", f"{wrong or 'ok'}\n".encode())
                case _:
                    self._answer(404, "text/plain; charset=utf-8", b"/metrics and /healthz live here\n")

        def _answer(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
            """Scrapes are not worth a line each."""

    return Handler
