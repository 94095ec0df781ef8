"""A child process: one role, from settings to a running app. `python -m streams.role behaviour|learner|sink`.

The composition root: the one place where the parts of a role are put together.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import faust

from streams.admin import BrokerError, partitions_found, require_topics
from streams.failstop import FAILSTOP_EXIT, stop_process
from streams.impatience import fetch_impatiently
from streams.settings import Settings, SettingsError, read_settings
from streams.status import report
from streams.watchdog import Watchdog

ROLES: Final = ("behaviour", "learner", "sink")
USAGE_EXIT: Final = 2
EMBEDDED: Final = "ATTUNE_TEST_EMBEDDED"
"""Set where the broker is the embedded one, which makes its topics itself."""


def main(role: str) -> int:
    """Run one role until it is told to stop. Returns the exit code."""
    try:
        settings = read_settings()
        if os.environ.get(EMBEDDED):
            fetch_impatiently()
            partitions_found(settings)
        else:
            require_topics(settings)
    except SettingsError as error:
        return _refuse(str(error), USAGE_EXIT)
    except BrokerError as error:
        return _refuse(str(error), 1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))  # until a role installs its own: nothing is begun yet
    asyncio.set_event_loop(asyncio.new_event_loop())  # before the app: its services keep the loop they first see
    match role:
        case "behaviour":
            return run_behaviour(settings)
        case "learner":
            return run_learner(settings)
        case "sink":
            return run_sink(settings)
    return _refuse(f"no role '{role}' (roles: {', '.join(ROLES)})", USAGE_EXIT)


def run_behaviour(settings: Settings) -> int:
    from streams.behaviour import make_behaviour_app
    from streams.topics import BEHAVIOUR_GROUP

    worker_of: list[Any] = []

    def status() -> dict[str, Any]:
        if not worker_of:
            return {"role": "behaviour", "ready": False, "state": "reading the catalogue and the model"}
        worker = worker_of[0]
        running = worker.membership.recovered and bool(worker.order.next)
        return {
            "role": "behaviour",
            "ready": running,
            "state": "running" if running else "recovering",
            "recovered_records": worker.table.recovered_records,
            "replica_records": worker.reader.records,
            "profiles": len(worker.table.rows),
            "order_gaps": worker.order.gaps,
            **worker.counts.as_dict(),
        }

    report(status)
    app, worker = make_behaviour_app(settings)
    worker_of.append(worker)
    _freeze_garbage()
    return _run(app, Watchdog(settings, BEHAVIOUR_GROUP, _assigned(worker), lambda: bool(app.should_stop)))


def run_learner(settings: Settings) -> int:
    from streams.learning import make_learner_app
    from streams.topics import LEARNER_GROUP

    app, worker = make_learner_app(settings)

    def status() -> dict[str, Any]:
        running = worker.learner is not None
        return {"role": "learner", "ready": running, "learned": worker.learned, **worker.counts.as_dict()}

    report(status)
    _freeze_garbage()
    return _run(app, Watchdog(settings, LEARNER_GROUP, _assigned(worker), lambda: bool(app.should_stop)))


def run_sink(settings: Settings) -> int:
    from streams.sink import Sink

    sink = Sink(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    report(lambda: {"role": "sink", "ready": sink.ready, **sink.counts.as_dict()})
    sink.run(stopping)
    return 0


def _assigned(worker: Any) -> Callable[[], list[tuple[str, int]]]:
    def assigned() -> list[tuple[str, int]]:
        return sorted(worker.order.next) if not worker.app.rebalancing else []

    return assigned


def _run(app: faust.App, watchdog: Watchdog) -> int:
    """Run a Faust app in this thread; its own signal handlers stop it."""
    watchdog.start()
    loop = asyncio.get_event_loop_policy().get_event_loop()
    worker = faust.Worker(app, loglevel="CRITICAL", quiet=True, redirect_stdouts=False, loop=loop)
    try:
        worker.execute_from_commandline()
    except SystemExit as finished:
        return _code(finished.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, say it in one line and let the supervisor restart
        stop_process(f"{app.conf.id}: {error!r}")
    return 0


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0 if code is None else FAILSTOP_EXIT


def _freeze_garbage() -> None:
    """What is there now lives as long as the process: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(f"attune: {why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
