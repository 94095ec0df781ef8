"""`attune evaluate --protocol search`: how well search finds, on a log."""

from pathlib import Path

import msgspec
import typer

from attune.cli.failure import CommandError
from attune.cli.options import console, print_json, progress_console
from processors.pack import Pack


def evaluate_search(file: Path, pack: Pack, limit: int | None, json: bool) -> None:
    """Judge search on a replay file and print the figures."""
    from rich.table import Table

    from evaluation.replay_file import ReplayFileError, read_log
    from evaluation.search_quality import judge_search
    from evaluation.task_progress import TaskProgress

    with TaskProgress(progress_console()) as progress:
        try:
            log = read_log(file, limit, progress.task(f"reading {file.name}"))
        except (ReplayFileError, EOFError) as error:
            raise CommandError(str(error)) from None
        for line in log.rejected[:5]:
            typer.echo(f"rejected: line {line.line}: {line.reason}", err=True)
        quality = judge_search(log, pack, progress=progress.task("searching"))
    if json:
        print_json(quality)
        return
    table = Table("", "queries", "MRR", "HR@1", "HR@10", box=None)
    for name, figures in msgspec.structs.asdict(quality).items():
        table.add_row(
            name.replace("_", " "), f"{figures.n:,}", f"{figures.mrr:.4f}", f"{figures.hr1:.4f}", f"{figures.hr10:.4f}"
        )
    console().print(table)
