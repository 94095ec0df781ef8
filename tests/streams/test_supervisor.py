"""The supervisor, with real processes that are killed, fail at once, or refuse."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streams import supervisor as module
from streams.failstop import FAILSTOP_EXIT, REFUSED_EXIT
from streams.settings import read_settings
from streams.supervisor import BACKOFF_S, STEADY_S, Child, Supervisor
from tests.integration.waiting import eventually

READY = """
import os, signal, sys, threading
os.write(int(os.environ["ATTUNE_TEST_STATUS_FD"]), b'{"ready": true, "applied": 3}\\n')
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
threading.Event().wait()
"""


@pytest.fixture
def handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def supervised(
    monkeypatch: pytest.MonkeyPatch, programs: dict[str, str], during: Callable[[Supervisor], Any], count: int = 1
) -> tuple[int, Supervisor]:
    """Run roles that are these programs, and do something meanwhile; the exit code."""
    monkeypatch.setattr(module, "command", lambda role: [sys.executable, "-c", programs[role]])
    made = Supervisor(read_settings({}), tuple(programs), count)
    failed: list[BaseException] = []

    def act() -> None:
        try:
            during(made)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failed.append(error)
        made.stopping = True

    beside = threading.Thread(target=act)
    beside.start()
    code = made.run()
    beside.join()
    if failed:
        raise failed[0]
    return code, made


def ready(supervisor: Supervisor, restarts: int = 0) -> bool:
    said = [child.describe() for child in supervisor.children]
    return all(child["ready"] and child["restarts"] >= restarts for child in said)


@pytest.mark.usefixtures("handlers")
def test_a_killed_child_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def during(supervisor: Supervisor) -> None:
        eventually(lambda: ready(supervisor), 20)
        pids.append(supervisor.children[0].describe()["pid"])
        os.kill(pids[0], signal.SIGKILL)
        eventually(lambda: ready(supervisor, restarts=1), 20)
        pids.append(supervisor.children[0].describe()["pid"])

    code, made = supervised(monkeypatch, {"behaviour": READY}, during)
    assert code == 0
    assert pids[0] != pids[1]
    assert made.children[0].restarts == 1
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.usefixtures("handlers")
def test_a_child_that_stops_itself_starts_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def during(supervisor: Supervisor) -> None:
        eventually(lambda: supervisor.children[0].restarts >= 2, 20)

    code, made = supervised(monkeypatch, {"learner": f"raise SystemExit({FAILSTOP_EXIT})"}, during)
    assert code == 0
    assert made.children[0].failures == made.children[0].restarts


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("exit_code", [REFUSED_EXIT, 2])
def test_a_child_that_refuses_ends_the_worker(monkeypatch: pytest.MonkeyPatch, exit_code: int) -> None:
    def during(supervisor: Supervisor) -> None:
        eventually(lambda: supervisor.children[1].restarts == 1, 20)

    programs = {"behaviour": READY, "learner": f"raise SystemExit({exit_code})"}
    code, made = supervised(monkeypatch, programs, during)
    assert code == 1
    assert made.children[1].process is None
    assert made.children[0].process is not None
    assert made.children[0].process.returncode is not None


@pytest.mark.usefixtures("handlers")
def test_only_behaviour_is_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {"behaviour": READY, "sink": READY}
    _, made = supervised(monkeypatch, programs, lambda s: eventually(lambda: ready(s), 20), count=2)
    assert [(child.role, child.number) for child in made.children] == [("behaviour", 0), ("behaviour", 1), ("sink", 0)]
    assert made.children[0].status["applied"] == 3


def test_pauses_grow_and_begin_anew_after_a_steady_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(module, "boottime_s", lambda: now_s)
    monkeypatch.setattr(module, "command", lambda _: [sys.executable, "-c", ""])
    child = Child("behaviour", 0, dict(os.environ))
    pauses = []
    for lasted_s in (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, STEADY_S + 1):
        child.start()
        assert child.process is not None
        child.process.wait(20)
        now_s += lasted_s
        assert child.ended() == 0
        pauses.append(child.start_at_s - now_s)
    assert pauses == pytest.approx([*BACKOFF_S[1:], BACKOFF_S[-1], BACKOFF_S[0]])
