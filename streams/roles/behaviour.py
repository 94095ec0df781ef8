"""The role `behaviour`: every input topic in, decisions out. `python -m streams.roles.behaviour`."""

import sys
from typing import Any

from streams.behaviour import BehaviourWorker, make_behaviour_app
from streams.behaviour_meter import measure
from streams.roles.faust_process import run, start_faust
from streams.settings import Settings
from streams.status import SAMPLES, report
from streams.topics import BEHAVIOUR_GROUP, INPUTS


def behaviour(settings: Settings) -> int:
    """Read the catalogue and the model, then work. Returns the exit code."""
    worker_of: list[BehaviourWorker] = []

    def status() -> dict[str, Any]:
        if not worker_of:
            return {"role": "behaviour", "ready": False, "state": "reading the catalogue and the model"}
        worker = worker_of[0]
        running = worker.order.is_running
        return {
            "role": "behaviour",
            "ready": running,
            "state": "running" if running else "recovering",
            "recovered_records": worker.changelog.records,
            "replica_records": worker.reader.records,
            "profiles": len(worker.table.rows),
            "order_gaps": worker.order.gaps,
            **worker.counts.as_dict(),
            SAMPLES: measure(worker).samples(),
        }

    report(status)
    app, worker = make_behaviour_app(settings)
    worker_of.append(worker)
    return run(app, settings, BEHAVIOUR_GROUP, [topic.name for topic in INPUTS], worker)


if __name__ == "__main__":
    sys.exit(start_faust(behaviour))
