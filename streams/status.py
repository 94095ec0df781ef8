"""What a child process tells its supervisor once a second: one JSON object a line, through an inherited pipe."""

import os
import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec

STATUS_FD: Final = "ATTUNE_TEST_STATUS_FD"
"""Internal: the file descriptor that a supervisor hands to its children."""
EVERY_S: Final = 1.0
SAMPLES: Final = "samples"
"""Key of what a child measured (streams/meter.py), beside its plain figures."""


def report(status: Callable[[], dict[str, Any]]) -> None:
    """Start reporting, where a supervisor listens. When the supervisor is gone the process ends: no orphans."""
    descriptor = os.environ.get(STATUS_FD)
    if descriptor is None:
        return
    threading.Thread(target=_report, args=(int(descriptor), status), name="status", daemon=True).start()


def _report(descriptor: int, status: Callable[[], dict[str, Any]]) -> None:
    pause = threading.Event()
    while True:
        try:
            os.write(descriptor, msgspec.json.encode(status()) + b"\n")
        except BrokenPipeError:
            os._exit(0)
        pause.wait(EVERY_S)
