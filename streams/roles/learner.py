"""The role `learner`: the one process that teaches the global models. `python -m streams.roles.learner`."""

import sys
from typing import Any

from streams.learning import make_learner_app
from streams.roles.faust_process import run, start_faust
from streams.settings import Settings
from streams.status import SAMPLES, report
from streams.topics import LEARNER_GROUP


def learner(settings: Settings) -> int:
    """Recover the models, then learn. Returns the exit code."""
    app, worker = make_learner_app(settings)

    def status() -> dict[str, Any]:
        running = worker.learner is not None and worker.order.is_running
        samples = worker.measure().samples()
        return {
            "role": "learner",
            "ready": running,
            "learned": worker.learned,
            **worker.counts.as_dict(),
            SAMPLES: samples,
        }

    report(status)
    return run(app, settings, LEARNER_GROUP, ["learning"], worker)


if __name__ == "__main__":
    sys.exit(start_faust(learner))
