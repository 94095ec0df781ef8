"""The progress of going through a file: a bar by bytes, rows, rate and time left, on stderr of a terminal only."""

from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from streams.clock import boottime_s


class FileProgress:
    """`size` in bytes, None where it is not known."""

    def __init__(self, console: Console, name: str, size: int | None) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=40),
            TextColumn("{task.fields[rows]:>11,} rows {task.fields[rate]:>9,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task(Path(name).name, total=size, rows=0, rate=0.0)
        self._started_s = boottime_s()

    def show(self, rows: int, position: int) -> None:
        """After so many rows, at this byte of the file."""
        seconds = boottime_s() - self._started_s
        self._progress.update(self._task, completed=position, rows=rows, rate=rows / seconds if seconds else 0.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
