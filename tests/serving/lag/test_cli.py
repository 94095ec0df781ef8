"""`attune lag` and `attune lag serve` as processes."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.lag.metrics import LABELS, METRICS
from serving.lag.row import JSON_FIELDS
from tests.integration.waiting import eventually
from tests.serving.lag.scene import commit, send

pytestmark = pytest.mark.slow

NewTopic = Callable[..., str]
ROOT = pathlib.Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from attune.cli.lag import lag; lag(prog_name='attune lag')"]


@pytest.fixture
def environment(tmp_path: pathlib.Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ATTUNE_")}
    return kept | {"ATTUNE_STATE_DIR": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


@pytest.fixture
def behind(bootstrap: str, new_topic: NewTopic) -> tuple[str, str]:
    """A group that is eight records behind."""
    topic, group = new_topic(1), f"group-{uuid.uuid4().hex[:12]}"
    send(bootstrap, topic, 10)
    commit(bootstrap, group, topic, {0: 2})
    return group, topic


def test_json_has_exactly_the_fields_named(
    bootstrap: str, behind: tuple[str, str], environment: dict[str, str]
) -> None:
    done = run(environment, "--bootstrap", bootstrap, "--json", "--group", behind[0])
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = json.loads(done.stdout)
    assert tuple(row) == JSON_FIELDS
    assert (row["group"], row["topic"], row["partition"], row["lag"]) == (*behind, 0, 8)
    assert row["status"] in {"OK", "WARN", "REWIND", "STALL", "STOP"}
    assert row["eta_s"] is None


def test_table(bootstrap: str, behind: tuple[str, str], environment: dict[str, str]) -> None:
    done = run(environment, "--bootstrap", bootstrap, "--group", behind[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert behind[0] in done.stdout
    assert behind[1] in done.stdout
    assert not (pathlib.Path(environment["ATTUNE_STATE_DIR"]) / "lag.json").exists()


def test_unknown_group_is_named(bootstrap: str, environment: dict[str, str]) -> None:
    done = run(environment, "--bootstrap", bootstrap, "--json", "-g", "nobody")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "nobody" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--json",), ("serve",)], ids=["table", "json", "serve"])
def test_no_broker_is_one_line(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        started = time.monotonic()
        done = run(environment, "--bootstrap", address, *arguments)
    assert time.monotonic() - started < 10
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"error: cannot reach Kafka at {address}: .+\n", done.stderr)


def test_bad_settings_are_wrong_usage(environment: dict[str, str]) -> None:
    done = run(environment | {"ATTUNE_LAG_PORT": "seven"}, "serve")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_port_in_use_is_one_line(bootstrap: str, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(environment, "serve", "--bootstrap", bootstrap, "--port", str(port))
    assert done.returncode == 1
    assert re.fullmatch(rf"error: cannot listen on 127.0.0.1:{port}: .+\n", done.stderr)


@pytest.fixture
def serving(
    bootstrap: str, behind: tuple[str, str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A collector that watches the group, and its address."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--bootstrap", bootstrap, "--port", "0", "--interval", "1", "-g", behind[0]],
        stdout=subprocess.PIPE,
        text=True,
        env=environment | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    yield process, line.split()[-1].removesuffix("/metrics")
    process.kill()
    process.wait(10)
    process.stdout.close()


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_serve(
    serving: tuple[subprocess.Popen[str], str], behind: tuple[str, str], environment: dict[str, str]
) -> None:
    process, url = serving
    assert eventually(lambda: fetch(f"{url}/healthz")[0] == 200, 20)
    assert fetch(f"{url}/nothing")[0] == 404
    families = {family.name: family for family in text_string_to_metric_families(fetch(f"{url}/metrics")[1])}
    for name in METRICS:
        (sample,) = families[name].samples
        assert set(sample.labels) == set(LABELS)
        assert (sample.labels["group"], sample.labels["topic"]) == behind
    assert families["kafka_consumergroup_lag"].samples[0].value == 8
    assert families["kafka_consumergroup_drain_eta_seconds"].samples[0].value == float("inf")
    assert families["attune_collector_up"].samples[0].value == 1
    assert families["attune_collector_last_success_timestamp_seconds"].samples[0].value == pytest.approx(
        time.time(), abs=30
    )
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    kept = json.loads((pathlib.Path(environment["ATTUNE_STATE_DIR"]) / "lag.json").read_text())
    assert behind[0] in kept["state"]["windows"]
