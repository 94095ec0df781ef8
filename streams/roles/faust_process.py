"""A role that is a Faust app: run in this thread until a signal ends it, with a watchdog beside it."""

import asyncio
import gc
import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faust

from streams.failstop import FAILSTOP_EXIT, stop_process
from streams.impatience import fetch_impatiently
from streams.role import EMBEDDED
from streams.roles.process import start
from streams.settings import Settings
from streams.watchdog import Watchdog


def start_faust(role: Callable[[Settings], int]) -> int:
    """Run a role that makes a Faust app. Returns the exit code."""
    if os.environ.get(EMBEDDED):
        fetch_impatiently()
    return start(role)


def run(app: faust.App, settings: Settings, group: str, topics: Sequence[str], worker: Any) -> int:
    """Run the app of `worker`, which reads `topics`; Faust's own signal handlers stop it. Returns the exit code."""
    _freeze_garbage()
    Path(settings.state_dir).mkdir(parents=True, exist_ok=True)  # Faust makes a directory in it, and keeps nothing

    def assigned() -> list[tuple[str, int]]:
        return sorted(worker.order.next) if not app.rebalancing else []

    Watchdog(settings, group, topics, assigned, lambda: bool(app.should_stop)).start()
    loop = asyncio.get_event_loop_policy().get_event_loop()
    process = faust.Worker(app, loglevel="CRITICAL", quiet=True, redirect_stdouts=False, loop=loop)
    try:
        process.execute_from_commandline()
    except SystemExit as finished:
        if (crash := process.crash_reason or app.crash_reason) is not None:  # Faust ends with 70 and says no word
            stop_process(f"{app.conf.id}: {crash!r}\n{''.join(traceback.format_exception(crash))}")
        return _code(finished.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, say it in one line and let the supervisor restart
        stop_process(f"{app.conf.id}: {error!r}")


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0 if code is None else FAILSTOP_EXIT


def _freeze_garbage() -> None:
    """What is there now lives as long as the process: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
