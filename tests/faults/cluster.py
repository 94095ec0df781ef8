"""Worker processes to be killed, stopped and replaced."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from streams.role import command
from streams.settings import Settings
from streams.status import STATUS_FD

ROOT = Path(__file__).parent.parent.parent


class Process:
    """One role's process."""

    def __init__(self, role: str, settings: Settings, log: Path, played_by: list[str], **environ: str) -> None:
        self.role = role
        self.log = log
        self.stopped = False
        own = {"ATTUNE_BOOTSTRAP": settings.bootstrap, "ATTUNE_PARTITIONS": str(settings.partitions)}
        env = {**os.environ, **own, **environ}
        self._pipe, write_end = os.pipe()
        os.set_blocking(self._pipe, False)
        self._status: dict[str, Any] = {}
        self._rest = b""
        with log.open("w") as out:
            self.popen = subprocess.Popen(
                played_by,
                env={**env, STATUS_FD: str(write_end)},
                pass_fds=(write_end,),
                stdout=out,
                stderr=out,
                cwd=ROOT,
                start_new_session=True,
            )
        os.close(write_end)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def status(self) -> dict[str, Any]:
        """What the process said of itself last."""
        try:
            self._rest += os.read(self._pipe, 1 << 20)
        except BlockingIOError:
            return self._status
        *lines, self._rest = self._rest.split(b"\n")  # the last may be half a line: a pipe takes 4 KB at once
        if lines:
            self._status = json.loads(lines[-1])
        return self._status

    @property
    def ready(self) -> bool:
        """Recovered and running."""
        return self.alive and bool(self.status.get("ready"))

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            os.kill(self.popen.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.popen.wait(10)

    def stop(self) -> None:
        self.signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self) -> None:
        self.signal(signal.SIGCONT)
        self.stopped = False

    def terminate(self, timeout_s: float = 30.0) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.popen.wait(timeout_s)


class Cluster:
    """A set of processes that ends with the test."""

    def __init__(self, settings: Settings, logs: Path, **environ: str) -> None:
        self.settings = settings
        self.logs = logs
        self.environ = environ
        self.played_by: dict[str, list[str]] = {}
        """Role -> the command line of another program that plays it."""
        self.processes: list[Process] = []

    def start(self, role: str, **environ: str) -> Process:
        log = self.logs / f"{role}-{len(self.processes)}.log"
        played_by = self.played_by.get(role) or command(role)
        process = Process(role, self.settings, log, played_by, **{**self.environ, **environ})
        self.processes.append(process)
        return process

    def running(self, role: str) -> list[Process]:
        """Alive and not stopped."""
        return [p for p in self.processes if p.role == role and p.alive and not p.stopped]

    def keep(self, role: str, count: int) -> None:
        """Start what is missing, as a supervisor would."""
        while len(self.running(role)) < count:
            self.start(role)

    def all_ready(self) -> bool:
        """Whether every running process has recovered, and has been running since it last said so."""
        return all(p.ready for p in self.processes if p.alive and not p.stopped)

    def close(self) -> None:
        for process in self.processes:
            if process.alive:
                process.resume()
                process.kill()

    def complaints(self) -> str:
        """What the processes said last, for a failing test."""
        said = [(p.log.name, line) for p in self.processes for line in p.log.read_text().splitlines()[-6:]]
        told = [(p.log.name, f"{p.popen.poll()} {p.status}") for p in self.processes if p.alive]
        return "\n".join(f"{name}: {line}" for name, line in [*said, *told])
