"""Health, readiness and metrics from what children say of themselves."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from streams.health import PortInUseError, metrics, respond, serve


def child(**said: Any) -> dict[str, Any]:
    return {"role": "behaviour", "child": 0, "alive": True, "ready": True, "restarts": 0, "pid": 7, **said}


@pytest.mark.parametrize(
    ("children", "alive", "ready"),
    [
        ([], 200, 200),
        ([child(), child(child=1)], 200, 200),
        ([child(), child(ready=False)], 200, 503),
        ([child(), child(alive=False)], 503, 503),
        ([{"role": "sink", "child": 0, "alive": True, "restarts": 0}], 200, 503),
    ],
    ids=["none", "all", "one recovers", "one is down", "one has not said"],
)
def test_verdicts(children: list[dict[str, Any]], alive: int, ready: int) -> None:
    for path, wanted in (("/healthz", alive), ("/readyz", ready), ("/readyz?verbose=1", ready)):
        code, kind, body = respond(path, children)
        assert (code, kind) == (wanted, "application/json")
        assert json.loads(body)["children"] == children


def test_metrics_are_what_children_measure() -> None:
    samples = [["attune_wakes_total", {}, 12], ["attune_records_total", {"topic": "views"}, 3], ["unknown", {}, 1]]
    code, kind, body = respond("/metrics", [child(applied=12, state="running", restarts=2, samples=samples)])
    lines = body.decode().splitlines()
    assert (code, kind) == (200, "text/plain; version=0.0.4")
    label = 'role="behaviour",child="0"'
    assert f"attune_child_up{{{label}}} 1" in lines
    assert f"attune_child_restarts_total{{{label}}} 2" in lines
    assert f"attune_wakes_total{{{label}}} 12" in lines
    assert f'attune_records_total{{{label},topic="views"}} 3' in lines
    assert "# TYPE attune_wakes_total counter" in lines
    assert not any("unknown" in line or "state" in line for line in lines)
    assert f"attune_child_up{{{label}}} 0" in metrics([child(alive=False)])
    assert "samples" not in respond("/readyz", [child(samples=samples)])[2].decode()


def test_other_paths_are_not_found() -> None:
    assert respond("/", [])[0] == 404


def test_over_http_and_a_port_that_is_taken() -> None:
    server, port = serve("127.0.0.1", 0, lambda: [child(ready=False)])
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            assert json.load(answer)["alive"] is True
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
        assert refused.value.code == 503
        refused.value.close()
        with pytest.raises(PortInUseError, match=str(port)):
            serve("127.0.0.1", port, list)
    finally:
        server.shutdown()
        server.server_close()
