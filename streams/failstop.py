"""Ending a process that must not go on. The supervisor starts a fresh one, and the log is replayed."""

import os
from typing import Final, NoReturn

FAILSTOP_EXIT: Final = 3
"""Exit code of a process that stopped itself: something was lost or is unknown; restart it."""
REFUSED_EXIT: Final = 4
"""Exit code where a restart would not help: the log itself is not what it was."""


def stop_process(why: str, code: int = FAILSTOP_EXIT) -> NoReturn:
    """Say why on stderr and end at once, from any thread: nothing half-done may be finished."""
    os.write(2, f"attune: stopped: {why}\n".encode())
    os._exit(code)
