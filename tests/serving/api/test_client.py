"""The Python client against a server that fails on purpose: what is tried again, what is not, and what is said."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from attune.client import Attune, Away, EventsRefused, Refused

Script = list[tuple[int, dict[str, str], Any]]


class Scripted:
    """Answers what `script` says, one after the other, the last for ever; remembers what it was asked."""

    def __init__(self) -> None:
        self.script: Script = []
        self.asked: list[tuple[str, str, bytes, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.asked.append((self.command, self.path, body, self.headers["authorization"]))
                status, headers, told = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                raw = json.dumps(told).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()


def test_what_may_pass_is_tried_again_with_longer_pauses(server: Scripted) -> None:
    pauses: list[float] = []
    server.script = [(503, {}, {}), (429, {"retry-after": "3"}, {}), (502, {}, {}), (202, {}, {"accepted": 1})]
    with Attune(server.url, "t0ken", pause=pauses.append) as attune:
        attune.view("u1", "i1", dwell_ms=7)
    assert pauses == [0.2, 3.0, 0.8]
    bodies = [json.loads(body) for _, _, body, _ in server.asked]
    assert all(body == bodies[0] for body in bodies)  # the same event_id: it counts once
    assert bodies[0][0]["value"] | {"event_id": "", "ts_ms": 0} == {
        "event_id": "", "user_id": "u1", "ts_ms": 0, "item_id": "i1", "dwell_ms": 7,
    }  # fmt: skip
    assert {authorization for *_, authorization in server.asked} == {"Bearer t0ken"}


def test_it_gives_up_and_says_so(server: Scripted) -> None:
    server.script = [(503, {}, {})]
    with Attune(server.url, "t", tries=3, pause=lambda _: None) as attune, pytest.raises(Away, match="3 times"):
        attune.recommendations("u1")
    assert len(server.asked) == 3
    with Attune("http://127.0.0.1:1", "t", tries=2, pause=lambda _: None) as nowhere, pytest.raises(Away):
        nowhere.send_time("u1")


def test_a_refusal_is_not_tried_again(server: Scripted) -> None:
    server.script = [(403, {}, {"title": "Forbidden", "status": 403, "detail": "lacks 'items'", "request_id": "r1"})]
    with Attune(server.url, "t") as attune, pytest.raises(Refused, match="lacks 'items'") as refused:
        attune.put_item("a/b", title="x")
    assert refused.value.request_id == "r1"
    assert [path for _, path, _, _ in server.asked] == ["/v1/items/a%2Fb"]


def test_long_batches_are_cut_and_each_wrong_event_is_named_by_its_place(server: Scripted) -> None:
    missing = {"field": "$.item_id", "reason": "missing", "index": 3}
    wrong = {"title": "", "status": 422, "detail": "1 of 500", "accepted": 499, "errors": [missing]}
    server.script = [(202, {}, {"accepted": 1000}), (422, {}, wrong)]
    events = [("views", {"event_id": str(n)}) for n in range(1_500)]
    with Attune(server.url, "t") as attune, pytest.raises(EventsRefused) as refused:
        attune.send(events)
    assert [len(json.loads(body)) for _, _, body, _ in server.asked] == [1_000, 500]
    assert [(one.index, one.field) for one in refused.value.errors] == [(1_003, "$.item_id")]
    assert refused.value.accepted == 1_499


def test_tries_must_be_some() -> None:
    with pytest.raises(ValueError, match="tries must be at least 1, not 0"):
        Attune("http://localhost", "t", tries=0)
