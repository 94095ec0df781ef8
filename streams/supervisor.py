"""`attune worker`: a parent of child processes, which it restarts with backoff, and for whose health it answers."""

import os
import selectors
import signal
import subprocess
from typing import Any, Final

import msgspec
import structlog

from streams.clock import boottime_s
from streams.failstop import REFUSED_EXIT
from streams.health import serve
from streams.role import USAGE_EXIT, command
from streams.settings import Settings
from streams.status import STATUS_FD

BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_S: Final = 60.0
"""A child that ran for so long starts its backoff anew."""
STOP_S: Final = 28.0

log = structlog.get_logger("attune.supervisor")


class Child:
    """One role's process, and the next when it ends."""

    def __init__(self, role: str, number: int, environ: dict[str, str]) -> None:
        self.role = role
        self.number = number
        self.environ = environ
        self.process: subprocess.Popen[bytes] | None = None
        self.status: dict[str, Any] = {}
        self.restarts = 0
        self.started_s = 0.0
        self.start_at_s = 0.0
        self.failures = 0
        self.pipe = -1
        self._rest = b""

    def start(self) -> None:
        self.pipe, write_end = os.pipe()
        os.set_blocking(self.pipe, False)
        self.process = subprocess.Popen(
            command(self.role),
            env={**self.environ, STATUS_FD: str(write_end)},
            pass_fds=(write_end,),
            start_new_session=True,
        )
        os.close(write_end)
        self.started_s = boottime_s()
        log.info("child started", role=self.role, child=self.number, pid=self.process.pid)

    def listen(self) -> None:
        """Take the newest complete status line."""
        try:
            self._rest += os.read(self.pipe, 1 << 16)
        except BlockingIOError:
            return
        *lines, self._rest = self._rest.split(b"\n")
        if lines:
            self.status = msgspec.json.decode(lines[-1])

    def ended(self) -> int | None:
        """The exit code, once, when the process has ended; it will be started again after a pause."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        os.close(self.pipe)
        self.process, self.status, self._rest = None, {}, b""
        now_s = boottime_s()
        self.failures = 0 if now_s - self.started_s > STEADY_S else self.failures + 1
        self.start_at_s = now_s + BACKOFF_S[min(self.failures, len(BACKOFF_S) - 1)]
        self.restarts += 1
        return code

    def describe(self) -> dict[str, Any]:
        alive = self.process is not None
        return {
            "ready": False,
            **self.status,
            "role": self.role,
            "child": self.number,
            "pid": self.process.pid if self.process else None,
            "alive": alive,
            "restarts": self.restarts,
        }


class Supervisor:
    """Runs until it is told to stop, or until a child says that a restart would not help."""

    def __init__(
        self, settings: Settings, roles: tuple[str, ...], count: int, environ: dict[str, str] | None = None
    ) -> None:
        self.settings = settings
        environ = dict(os.environ) if environ is None else environ
        numbers = [(role, i) for role in roles for i in range(count if role == "behaviour" else 1)]
        self.children = [Child(role, number, environ) for role, number in numbers]
        self.stopping = False

    def run(self) -> int:
        """Returns the exit code: 0 after a clean stop, 1 where a child refused to go on. Raises PortInUseError."""
        server, port = serve(
            self.settings.worker_host, self.settings.worker_port, lambda: [child.describe() for child in self.children]
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        log.info("worker", health=f"http://127.0.0.1:{port}/readyz", children=len(self.children))
        try:
            return self._supervise()
        finally:
            self._end_all()
            server.shutdown()

    def _stop(self, *_: Any) -> None:
        self.stopping = True

    def _supervise(self) -> int:
        was_ready = False
        while not self.stopping:
            for child in self.children:
                if child.process is None and boottime_s() >= child.start_at_s:
                    child.start()
            self._listen()
            for child in self.children:
                code = child.ended()
                if code is None or self.stopping:
                    continue
                if code in (REFUSED_EXIT, USAGE_EXIT):
                    log.error("a restart would not help", role=child.role, child=child.number, code=code)
                    return 1
                log.warning("child ended, starts again", role=child.role, child=child.number, code=code)
            ready = all(child.describe()["ready"] for child in self.children)
            if ready and not was_ready:
                log.info("ready")
            was_ready = ready
        return 0

    def _listen(self) -> None:
        """Wait for status lines, at most a fifth of a second."""
        with selectors.DefaultSelector() as selector:
            for child in self.children:
                if child.process is not None:
                    selector.register(child.pipe, selectors.EVENT_READ, child)
            if not selector.get_map():
                signal.sigtimedwait([], 0.2)
                return
            for key, _ in selector.select(0.2):
                key.data.listen()
                if not key.data.status and key.data.process.poll() is not None:
                    return

    def _end_all(self) -> None:
        running = [child for child in self.children if child.process is not None]
        for child in running:
            if child.process is not None:
                child.process.terminate()
        deadline_s = boottime_s() + STOP_S
        for child in running:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline_s - boottime_s()))
            except subprocess.TimeoutExpired:
                log.warning("child did not stop, is killed", role=child.role, pid=child.process.pid)
                child.process.kill()
                child.process.wait()


def run_supervisor(settings: Settings, roles: tuple[str, ...], count: int) -> int:
    """Run the roles (`behaviour` `count` times). Returns the exit code. Raises PortInUseError."""
    return Supervisor(settings, roles, count).run()
