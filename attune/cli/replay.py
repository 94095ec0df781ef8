"""`attune replay FILE`: a replay file to Kafka, in its own time or faster."""

import threading
from typing import Annotated

import typer

from attune.cli.options import Bootstrap, Json, progress_console
from attune.cli.produce import File, Limit, reject, summarize
from streams.settings import read_settings


def replay(
    file: File,
    speed: Annotated[float, typer.Option(min=1e-3, max=1e9, help="How many times faster than it happened.")] = 1.0,
    limit: Limit = None,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Replay a file with its original timing, scaled. The catalogue, and rows without a time, go at once.

    [bold]Example[/bold]   attune replay jobs.jsonl.gz --speed 86400      a day in a second
    """
    settings = read_settings(bootstrap=bootstrap)
    from attune.cli.progress import FileProgress
    from streams.clock import boottime_s
    from streams.feeding import Feeder
    from streams.replay_file import Malformed, ReplayFile

    pause, begun_s, first_ms = threading.Event(), 0.0, None
    with ReplayFile(file) as rows:
        feeder = Feeder(settings)
        with FileProgress(progress_console(), file, rows.size) as progress:
            for count, row in enumerate(rows, 1):
                if isinstance(row, Malformed):
                    reject(feeder.fed, str(row))
                    continue
                ts_ms = row.ts_ms
                if ts_ms is not None:
                    if first_ms is None:
                        first_ms, begun_s = ts_ms, boottime_s()
                    due_s = begun_s + (ts_ms - first_ms) / 1000 / speed
                    while (wait_s := due_s - boottime_s()) > 0.0:
                        feeder.poll()
                        progress.show(count, rows.position)
                        pause.wait(min(wait_s, 0.5))
                refused = feeder.send(row)
                if refused is not None:
                    reject(feeder.fed, refused)
                if count % 1_000 == 0:
                    feeder.poll()
                    progress.show(count, rows.position)
                if count == limit:
                    break
            fed = feeder.finish()
    summarize(fed, json)
