"""The demo as a newcomer runs it: real processes, three seeds, and nothing left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, attune, environment
from tests.integration.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every process of a demo names its own temporary directory, so those that outlive it can be told from others."""
    short = tempfile.mkdtemp(prefix="ad-")  # a socket's path has little room
    monkeypatch.setenv("TMPDIR", short)
    yield
    eventually(lambda: processes_of(short) == [], 10, what="the end of every process of the demo")
    assert list(Path(short).iterdir()) == []
    Path(short).rmdir()


def processes_of(directory: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            inherits = f"TMPDIR={directory}".encode() in (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if inherits and command:
            found.append(command)
    return found


def names(item: dict[str, Any], title: str) -> bool:
    return any(title[:60] in reason for reason in item["reasons"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_save_changes_one_persons_list_and_nobody_elses(seed: int) -> None:
    done = attune("demo", "--seconds", "10", "--seed", str(seed), "--json", timeout_s=90)
    assert done.code == 0, done.err
    (told,) = done.lines
    before = {item["item_id"] for item in told["before"]}
    new = [item for item in told["after"] if item["item_id"] not in before]
    assert len([item for item in new if names(item, told["saved"]["title"])]) >= 3
    assert all(item["reasons"] for item in (*told["before"], *told["after"]))
    assert told["bystander_unchanged"] is True
    assert told["dead_letters"] == 0
    assert told["seed"] == seed
    assert told["events_in"] > 1_500
    assert told["recommendations_out"] > 500
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"]
    assert told["save_to_redis_ms"] > 0
    mailed = {one["person"].split("-")[0]: one for one in told["mails"]}
    assert {person for person, one in mailed.items() if one["mail"]} == {"ada", "ben", "dora"}
    assert mailed["cleo"]["why"] == "not now: quiet hours (03:00 there)"


def test_ctrl_c_is_a_clean_end_though_it_comes_twice() -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "attune.cli.main", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        start_new_session=True,
        text=True,
    )
    assert demo.stdout is not None
    seen: list[str] = []
    for line in demo.stdout:
        seen.append(line)
        if line.startswith("What on-call sees"):
            _, _, _, address, _, password = line.split()
            asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {password}"})
            assert b"Worst lag" in urllib.request.urlopen(asked, timeout=20).read()
        if "events in" in line:
            break
    demo.send_signal(signal.SIGINT)
    demo.send_signal(signal.SIGTERM)
    out, err = demo.communicate(timeout=30)
    assert demo.returncode == 0, err
    assert "Traceback" not in err
    text = "".join(seen)
    assert "saves “" in text
    assert "Look around and click yourself: http://" in text
    assert "What on-call sees: http://" in text
    assert "keeps the same list" in text
    assert out.endswith("stopped\n")


def test_a_demo_that_is_killed_takes_its_processes_along() -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "attune.cli.main", "demo"],
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        start_new_session=True,
    )
    assert demo.stdout is not None
    assert b"Attune" in demo.stdout.readline()
    eventually(lambda: any("streams.role" in command for command in processes_of(os.environ["TMPDIR"])), 20)
    demo.kill()
    demo.wait(10)
    demo.stdout.close()
    eventually(lambda: processes_of(os.environ["TMPDIR"]) == [], 30, what="the end of its processes")
    for left in Path(os.environ["TMPDIR"]).iterdir():  # kill -9 leaves files, never processes
        subprocess.run(["rm", "-r", left], check=True)
