"""`attune bench`: one of the repository's benchmarks. They are no part of the installed package."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from attune.cli.failure import CommandError

PARTS = frozenset({"footprint", "latency", "load", "rates", "__init__"})
"""What `spine` is made of."""


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which; `list` names them.")] = "spine",
) -> None:
    """Run one of the benchmarks, in a checkout; what follows the name is the benchmark's own.

    [bold]Examples[/bold]

      attune bench list

      attune bench spine --only rates

      attune bench search --items 100000 --json
    """
    room = Path(__file__).parents[2] / "benchmarks"
    names = sorted(file.stem for file in room.glob("*.py") if file.stem not in PARTS)
    if not names:
        raise CommandError("there are no benchmarks here: they come with a checkout, not with the package")
    if name == "list":
        for each in names:
            said = (room / f"{each}.py").read_text().split("\n", 1)[0].strip('"')
            typer.echo(f"{each:<15}{said}")
        return
    if name not in names:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(names)}", param_hint="NAME")
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *context.args], cwd=room.parent, check=False)
    raise typer.Exit(min(abs(done.returncode), 1))
