"""A real Kafka broker as a child process, to be stopped, paused, killed and restarted by tests and benchmarks.

with Broker() as broker:
    produce_to(broker.bootstrap)
    broker.kill()
    broker.restart()          # same data, same ports
"""

import atexit
import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.integration.jars import kafka_jars
from tests.integration.waiting import eventually

TEMPLATE = Path(__file__).parent / "kafka" / "server.properties"
QUICKLY_COMPILED = ("-XX:TieredStopAtLevel=1",)


class BrokerError(RuntimeError):
    """The broker did not do what it was told; the message ends with the last lines of its log."""


class Broker:
    """One KRaft node on free ports of 127.0.0.1, its data in a directory of its own.

    Args:
        config: properties that replace or add to those of `kafka/server.properties`, e.g.
            ``{"message.max.bytes": "1000"}``; `$port` and `$controller_port` stand for its ports.
        data_dir: where it keeps its data; by default a temporary directory that `close` removes.
        heap_mb: the JVM's heap, in MiB.
        jars: a directory with the jars of another release than the tests' own.
        is_measured: let the JVM optimise as it would in production. Otherwise it compiles quickly only, which halves
            what a broker that lives for minutes takes (4.5 s of CPU in place of 8.4 for a start and 15,000 records).

    Attributes:
        bootstrap: ``host:port`` for clients; the same for the broker's whole life, restarts included.
    """

    def __init__(
        self,
        config: Mapping[str, str] | None = None,
        data_dir: Path | None = None,
        heap_mb: int = 512,
        jars: Path | None = None,
        is_measured: bool = False,
    ) -> None:
        if heap_mb < 128:
            raise ValueError(f"heap_mb must be at least 128, not {heap_mb}")
        self.config = dict(config or {})
        self.heap_mb = heap_mb
        self._jars = jars
        self._is_measured = is_measured
        self._own_dir = data_dir is None
        self.directory = Path(tempfile.mkdtemp(prefix="attune-kafka-")) if data_dir is None else data_dir
        self.log_path = self.directory / "broker.log"
        self._port, self._controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        atexit.register(self.close)

    # -- life ------------------------------------------------------------------------------------------

    def start(self, timeout_s: float = 60.0) -> Self:
        """Start it and return once it answers, its group coordinator included; a running broker is left alone."""
        if self.running:
            return self
        jars = f"{self._jars or kafka_jars()}/*"
        properties = self._write_properties()
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(jars, properties)
        heap = f"{self.heap_mb}m"
        compiled = () if self._is_measured else QUICKLY_COMPILED
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        denials = "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=info"
        options = (*compiled, f"-Xms{heap}", f"-Xmx{heap}", quiet, denials)
        command = ["java", *options, "-cp", jars, "kafka.Kafka", str(properties)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.directory
            )
        self._paused = False
        try:
            eventually(self._answers, timeout_s, 0.1, "an answering broker")
        except TimeoutError as error:
            self.kill()
            raise BrokerError(f"no broker within {timeout_s:g} s; its log ends:\n{self.log_tail()}") from error
        return self

    def stop(self, timeout_s: float = 30.0) -> None:
        """Shut it down as an operator would (SIGTERM), killing it after `timeout_s`. The data stay."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would. The data stay."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process, self._paused = None, False

    def restart(self, timeout_s: float = 60.0) -> Self:
        """Stop it if it runs and start it again: same data, same ports."""
        self.stop()
        return self.start(timeout_s)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""
        if self._process is None:
            raise BrokerError("a broker that does not run cannot be paused")
        os.killpg(self._process.pid, signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let a frozen broker go on (SIGCONT); harmless otherwise."""
        if self._process is not None and self._paused:
            os.killpg(self._process.pid, signal.SIGCONT)
            self._paused = False

    def close(self) -> None:
        """Stop it and remove its data (unless the directory was given)."""
        self.stop(10.0)
        atexit.unregister(self.close)
        if self._own_dir:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- looking at it ---------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the process is alive and not frozen."""
        return self._process is not None and self._process.poll() is None and not self._paused

    @property
    def pid(self) -> int | None:
        """The broker's process id, if it was started."""
        return None if self._process is None else self._process.pid

    def log_tail(self, lines: int = 20) -> str:
        """The last lines the broker logged (warnings and errors only)."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    # -- inside ----------------------------------------------------------------------------------------

    def _write_properties(self) -> Path:
        text = TEMPLATE.read_text() + "".join(f"{name}={value}\n" for name, value in self.config.items())
        path = self.directory / "server.properties"
        path.write_text(
            Template(text).substitute(
                port=self._port, controller_port=self._controller_port, data_dir=self.directory / "data"
            )
        )
        return path

    def _format(self, jars: str, properties: Path) -> None:
        identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)
        java = ["java", *QUICKLY_COMPILED, "-cp", jars]
        tool = [*java, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(properties)]
        done = subprocess.run(tool, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"formatting the data directory failed: {(done.stdout + done.stderr)[:500]}")

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise BrokerError(f"the broker ended with {self._process.returncode}; its log ends:\n{self.log_tail()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 0.5):
            return coordinator_answers(self.bootstrap)
        return False


def coordinator_answers(bootstrap: str, timeout_s: float = 2.0) -> bool:
    """Whether the broker serves metadata and a group's committed offsets: right after a start it serves neither."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "attune.probe", "log_level": 0, "enable.auto.commit": False}
    )
    try:
        return bool(consumer.committed([TopicPartition("probe", 0)], timeout=timeout_s))
    except KafkaException:
        return False
    finally:
        consumer.close()


def free_ports(count: int) -> list[int]:
    """Ports that are free now; all are held until the last is known, so that no two are alike."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
