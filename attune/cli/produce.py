"""`attune produce FILE`: a replay file to Kafka, as fast as it goes."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from attune.cli.failure import FAILED
from attune.cli.options import Bootstrap, Json, print_json, progress_console
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.feeding import Fed

File = Annotated[str, typer.Argument(help="A replay file (JSON Lines, gzip allowed), `-` for stdin.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many rows.")]
SHOW_EVERY: Final = 1_000
NAMED: Final = 20
"""Malformed lines that are named one by one; the rest is counted."""


def produce(file: File, limit: Limit = None, bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Produce a replay file to Kafka, as fast as it goes, and wait until all of it is acknowledged.

    Lines that are no rows are named, counted and left out; the exit code is then 1.

    [bold]Examples[/bold]

      attune produce jobs.jsonl.gz

      zcat jobs.jsonl.gz | attune produce - --limit 1000 --json
    """
    settings = read_settings(bootstrap=bootstrap)
    from attune.cli.progress import FileProgress
    from streams.feeding import Feeder
    from streams.replay_file import Malformed, ReplayFile

    with ReplayFile(file) as rows:
        feeder = Feeder(settings)
        with FileProgress(progress_console(), file, rows.size) as progress:
            for count, row in enumerate(rows, 1):
                reason = str(row) if isinstance(row, Malformed) else feeder.send(row)
                if reason is not None:
                    reject(feeder.fed, reason)
                if count % SHOW_EVERY == 0:
                    feeder.poll()
                    progress.show(count, rows.position)
                if count == limit:
                    break
            fed = feeder.finish()
    summarize(fed, json)


def reject(fed: "Fed", reason: str) -> None:
    """Count a row that cannot be sent; name the first ones."""
    fed.rejected += 1
    if fed.rejected <= NAMED:
        typer.echo(f"rejected: {reason}", err=True)
    elif fed.rejected == NAMED + 1:
        typer.echo("rejected: and more, counted only", err=True)


def summarize(fed: "Fed", json: bool) -> None:
    """Say what was fed. Exit code 1 where something was rejected."""
    rate = fed.records / fed.seconds if fed.seconds else 0.0
    if json:
        print_json(
            {
                "records": fed.records,
                "seconds": round(fed.seconds, 3),
                "per_topic": {topic: count for topic, count in fed.per_topic.items() if count},
                "rejected": fed.rejected,
            }
        )
    else:
        topics = ", ".join(f"{topic} {count:,}" for topic, count in fed.per_topic.most_common() if count)
        typer.echo(f"{fed.records:,} records in {fed.seconds:.1f} s ({rate:,.0f}/s): {topics or 'none'}")
        if fed.rejected:
            typer.echo(f"{fed.rejected:,} rejected", err=True)
    if fed.rejected:
        raise typer.Exit(FAILED)
