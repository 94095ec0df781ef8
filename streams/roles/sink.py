"""The role `sink`: decisions into Redis; knows neither Faust nor NumPy. `python -m streams.roles.sink`."""

import signal
import sys
import threading

from streams.roles.process import start
from streams.settings import Settings
from streams.sink import Sink
from streams.status import SAMPLES, report


def sink(settings: Settings) -> int:
    """Consume until SIGTERM or SIGINT. Returns the exit code."""
    view = Sink(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    report(lambda: {"role": "sink", "ready": view.ready, **view.counts.as_dict(), SAMPLES: view.measure().samples()})
    view.run(stopping)
    return 0


if __name__ == "__main__":
    sys.exit(start(sink))
