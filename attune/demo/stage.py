"""What the demo runs on: an embedded Kafka and Redis, and `attune worker` as real processes of its own."""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from attune.cli.failure import CommandError
from streams.clock import boottime_s
from streams.embedded import PARTITIONS, Embedded
from streams.role import EMBEDDED
from streams.settings import Settings, read_settings

STOP_S: Final = 8.0
ASK_S: Final = 2.0
LOOK_EVERY_S: Final = 0.01
PAGE_INTERVAL_MS: Final = 100
"""The least time between two lists of a person where somebody clicks and looks on."""
_DIE_WITH_PARENT: Final = 1  # Linux: prctl(PR_SET_PDEATHSIG)


class Stage:
    """Everything that runs beside the story. A context manager: whatever was started is stopped."""

    def __init__(self, domain: str = "jobs", *, page: bool = False) -> None:
        self.domain = domain
        self._page = page
        self._window: subprocess.Popen[bytes] | None = None
        self._mailer: subprocess.Popen[bytes] | None = None
        self._console: subprocess.Popen[bytes] | None = None
        self.console_password = secrets.token_urlsafe(9)
        self.directory = Path(tempfile.mkdtemp(prefix="attune-demo-"))
        self._embedded: Embedded | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._port = _free_port()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("ATTUNE_")}

    def open(self) -> Settings:
        """Start the embedded servers; returns the settings that lead to them. Raises EmbeddedError."""
        self._embedded = Embedded()
        addresses = self._embedded.addresses()
        own = self.directory / "attune.toml"  # nobody's settings but the demo's
        own.write_text(
            f'bootstrap = "{addresses.bootstrap}"\nredis = "{addresses.redis}"\npartitions = {PARTITIONS}\n'
            f'domain = "{self.domain}"\nuser_token_key = "{secrets.token_hex(32)}"\nuser_token_s = 3600\n'
        )
        self._environ |= {
            "ATTUNE_CONFIG": str(own),
            "ATTUNE_STATE_DIR": str(self.directory),
            "ATTUNE_WORKER_PORT": str(self._port),
            EMBEDDED: "1",
        }
        if self._page:
            self._environ["ATTUNE_MIN_INTERVAL_MS"] = str(PAGE_INTERVAL_MS)
        return read_settings(self._environ)

    def start_worker(self) -> None:
        """Start `attune worker` with all of its roles."""
        self._worker = self._started("worker", "attune.cli.main", "worker")

    def start_mailer(self, outbox: Path) -> None:
        """Start `attune mailer`, writing its mails into a directory."""
        self._mailer = self._started("mailer", "attune.cli.main", "mailer", "--outbox", str(outbox))

    def start_window(self) -> str:
        """Start the API and the page before it. Returns the address. Raises CommandError where it does not start."""
        self._window = self._started("window", "attune.demo.window", stdout=subprocess.PIPE)
        return self._address(self._window, "window")

    def start_console(self) -> None:
        """Start `attune console`, whose operator's password is `console_password`."""
        own = {"ATTUNE_CONSOLE_OPERATOR": self.console_password}
        command = ("attune.cli.main", "console", "--port", "0", "--worker", f"127.0.0.1:{self._port}")
        self._console = self._started("console", *command, stdout=subprocess.PIPE, **own)

    def console_address(self) -> str:
        """Where the console is, once it listens. Raises CommandError where it does not start."""
        assert self._console is not None
        return self._address(self._console, "console").split()[-1]

    def _address(self, process: "subprocess.Popen[bytes]", name: str) -> str:
        address = process.stdout.readline().decode().strip() if process.stdout is not None else ""
        if not address:
            raise CommandError(f"the {name} does not start: {self.last_words(name)}")
        return address

    def _started(self, name: str, *command: str, stdout: int | None = None, **more: str) -> "subprocess.Popen[bytes]":
        with (self.directory / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self._environ | more,
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, no locks
            )

    def status(self) -> dict[str, dict[str, Any]]:
        """Role -> what its process says of itself; empty before the worker answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=ASK_S) as answer:
                body = answer.read()
        except urllib.error.HTTPError as not_ready:
            body = not_ready.read()
        except OSError:
            return {}
        return {child["role"]: child for child in msgspec.json.decode(body)["children"]}

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float) -> Any:
        """Wait until `condition` is true. Raises CommandError where that takes too long or the worker ends."""
        pause, until_s = threading.Event(), boottime_s() + timeout_s
        while not (answer := condition()):
            if self._worker is not None and self._worker.poll() is not None:
                raise CommandError(f"the worker ended with {self._worker.returncode}: {self.last_words()}")
            if boottime_s() > until_s:
                raise CommandError(f"not within {timeout_s:.0f} s: {what} ({self.last_words()})")
            pause.wait(LOOK_EVERY_S)
        return answer

    def last_words(self, name: str = "worker") -> str:
        """The end of a process's log, in one line."""
        log = self.directory / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " | ".join(lines[-3:]) or "the worker said nothing"

    def close(self) -> None:
        """End the worker, then the servers; nothing is left behind."""
        for process in (self._console, self._window, self._mailer, self._worker):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()  # its children end with their pipe to it
                    process.wait()
        for talking in (self._console, self._window):
            if talking is not None and talking.stdout is not None:
                talking.stdout.close()
        if self._embedded is not None:
            self._embedded.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
