"""An agent that raises ends its process: Faust alone would go on silently after the record at hand."""

import asyncio
import os
import subprocess
import sys

import pytest

import streams.learning
from processors.model_rows import MARKER_KEY, Marker, encode_marker
from schemas.learning import Lesson
from streams.admin import create_topics
from streams.behaviour import BehaviourWorker
from streams.failstop import FAILSTOP_EXIT, REFUSED_EXIT
from streams.faust_app import stopping
from streams.learning import LearnerWorker
from streams.settings import read_settings

RAISES = """
import asyncio
from streams.faust_app import stopping

async def consume(stream):
    raise KeyError("a record")

asyncio.run(stopping(consume)(None))
"""


CRASHES = """
import sys
from streams.behaviour import BehaviourWorker
from streams.roles.behaviour import behaviour
from streams.roles.faust_process import start_faust

async def tick(self):
    raise KeyError("a tick")

BehaviourWorker.tick = tick
sys.exit(start_faust(behaviour))
"""


def test_whatever_else_ends_a_worker_is_said(clean_kafka: str) -> None:
    settings = read_settings({"ATTUNE_BOOTSTRAP": clean_kafka}, partitions=2)
    create_topics(settings)
    environ = {**os.environ, "ATTUNE_BOOTSTRAP": settings.bootstrap, "ATTUNE_PARTITIONS": str(settings.partitions)}
    done = subprocess.run(
        [sys.executable, "-c", CRASHES], capture_output=True, text=True, check=False, env=environ, timeout=60
    )
    assert done.returncode == FAILSTOP_EXIT
    assert "attune: stopped: attune.behaviour: KeyError('a tick')" in done.stderr
    assert "in tick" in done.stderr  # where


def test_it_says_what_happened_and_ends() -> None:
    done = subprocess.run([sys.executable, "-c", RAISES], capture_output=True, text=True, check=False)
    assert done.returncode == FAILSTOP_EXIT
    assert "attune: stopped: an agent failed: KeyError('a record')" in done.stderr
    assert "in consume" in done.stderr  # where


def test_being_cancelled_is_no_failure() -> None:
    async def cancelled() -> None:
        begun, never = asyncio.Event(), asyncio.Event()

        async def consume(stream: object) -> None:
            begun.set()
            await never.wait()

        task = asyncio.ensure_future(stopping(consume)(None))
        await begun.wait()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


@pytest.mark.parametrize("worker", [BehaviourWorker, LearnerWorker])
def test_every_agent_is_one_of_these(worker: type[BehaviourWorker | LearnerWorker]) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        agents = worker(read_settings({}, kafka={"log_level": "0"})).app.agents
        assert agents
        for agent in agents.values():
            assert agent.fun.__qualname__ == "stopping.<locals>.consumed"
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_a_learner_whose_half_lives_are_not_those_of_its_rows_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class StoppedError(Exception):
        pass

    def stop(why: str, code: int) -> None:
        raise StoppedError(f"{code}: {why}")

    monkeypatch.setattr(streams.learning, "stop_process", stop)
    worker = LearnerWorker(read_settings({}))
    half_lives_d = {"covisitation_half_life_d": (worker.settings.pack.covisitation_half_life_d + 1.0,)}
    worker.table.rows[MARKER_KEY] = encode_marker(Marker(7, {}, half_lives_d))
    with pytest.raises(
        StoppedError, match=f"^{REFUSED_EXIT}: covisitation_half_life_d was 31 when .* delete the topic"
    ):
        worker.restored()
    worker.table.rows[MARKER_KEY] = encode_marker(Marker(7, {}))
    assert worker.restored().learn(Lesson("views", ()), 8) == 0
