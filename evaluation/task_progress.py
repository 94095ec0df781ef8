"""The progress of long evaluations: a bar for each task with rate and time left, on a terminal only."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from evaluation.replay_file import Progress as Show


class TaskProgress:
    """Bars one below the other."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=40),
            TextColumn("{task.completed:>11,.0f} of {task.total:,.0f} {task.fields[rate]:>9,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def task(self, name: str) -> Show:
        """A further task; it is shown once it reports."""
        started_s = time.monotonic()
        tasks: list[TaskID] = []

        def show(done: int, total: int) -> None:
            if not tasks:
                tasks.append(self._progress.add_task(name, total=total, rate=0.0))
            seconds = time.monotonic() - started_s
            self._progress.update(tasks[0], completed=done, total=total, rate=done / seconds if seconds else 0.0)

        return show

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
