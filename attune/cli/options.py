"""Options that several commands share, each spelled once."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console

Bootstrap = Annotated[str | None, typer.Option("--bootstrap", help="Kafka's address (ATTUNE_BOOTSTRAP).")]
Redis = Annotated[str | None, typer.Option("--redis", help="Redis URL, unix:// for a socket (ATTUNE_REDIS).")]
Json = Annotated[bool, typer.Option("--json", help="For scripts: JSON on stdout.")]

PIPED_WIDTH: Final = 160


def console() -> Console:
    """Where tables go; a pipe gets a fixed, generous width."""
    return Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)


def progress_console() -> Console:
    """Where progress goes: stderr, so that stdout stays clean."""
    return Console(stderr=True)


def print_json(value: Any) -> None:
    """One JSON value on a line of stdout."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def words_of(given: Iterable[str], file: str | None) -> list[str]:
    """Arguments, then the lines of a file (`-`: stdin), each once, in order."""
    named = list(given)
    if file is not None:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        named += (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(word for word in named if word))
