"""The supervisor's own HTTP port: /healthz, /readyz and /metrics, from what the children report."""

import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from schemas.metric_table import WORKER
from streams.meter import Sample, exposition
from streams.status import SAMPLES

Statuses = Callable[[], Sequence[Mapping[str, Any]]]


class PortInUseError(Exception):
    """The port cannot be listened on; the message names it."""


def serve(host: str, port: int, statuses: Statuses) -> tuple[ThreadingHTTPServer, int]:
    """Serve in a thread. Returns the server and the port it got. Raises PortInUseError."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, kind, body = respond(self.path, statuses())
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the standard library
            pass

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise PortInUseError(f"worker_port: cannot listen on {host}:{port} ({error.strerror})") from None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server, server.server_address[1]


def respond(path: str, children: Sequence[Mapping[str, Any]]) -> tuple[int, str, bytes]:
    """Status code, content type and body for a path. Healthy: every child is alive; ready: every child says so."""
    alive = all(child["alive"] for child in children)
    ready = alive and all(child.get("ready") for child in children)
    match path.partition("?")[0]:
        case "/healthz":
            return _verdict("alive", alive, children)
        case "/readyz":
            return _verdict("ready", ready, children)
        case "/metrics":
            return 200, "text/plain; version=0.0.4", metrics(children).encode()
    return 404, "text/plain", b"healthz, readyz or metrics\n"


def _verdict(question: str, answer: bool, children: Sequence[Mapping[str, Any]]) -> tuple[int, str, bytes]:
    shown = [{name: value for name, value in child.items() if name != SAMPLES} for child in children]
    body = msgspec.json.encode({question: answer, "children": shown})
    return (200 if answer else 503), "application/json", body


def metrics(children: Sequence[Mapping[str, Any]]) -> str:
    """What the children measured, in Prometheus' text form."""
    samples: list[Sample] = []
    for child in children:
        labels = {"role": child["role"], "child": str(child["child"])}
        samples += [
            ("attune_child_up", labels, int(child["alive"])),
            ("attune_child_ready", labels, int(bool(child.get("ready")))),
            ("attune_child_restarts_total", labels, child["restarts"]),
        ]
        samples += [(name, {**labels, **own}, value) for name, own, value in child.get(SAMPLES, ())]
    return exposition(samples, WORKER)
