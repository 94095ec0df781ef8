"""`attune worker`: the processes that do the work, under a supervisor that restarts them."""

import os
from typing import Annotated, Literal

import typer

from attune.cli.options import Bootstrap, Redis
from streams.settings import read_settings

Role = Literal["all", "behaviour", "learner", "sink"]


def worker(
    role: Annotated[
        Role, typer.Option(help="What to run; a cluster needs one learner, any number of the others.")
    ] = "all",
    count: Annotated[int, typer.Option(min=1, max=64, help="Processes of the role behaviour: one per core.")] = 1,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Health and metrics, 0 for a free port (ATTUNE_WORKER_PORT).")
    ] = None,
    bootstrap: Bootstrap = None,
    redis: Redis = None,
) -> None:
    """Run Attune's processes until SIGTERM or Ctrl-C.

    [bold]Examples[/bold]

      attune worker                                everything on one machine

      attune worker --role behaviour --count 4     four processes for the stream

      attune worker --role learner                 the one learner
    """
    given = {"ATTUNE_BOOTSTRAP": bootstrap, "ATTUNE_REDIS": redis, "ATTUNE_WORKER_PORT": port}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})  # children read it too
    settings = read_settings()
    from streams.admin import partitions_found, require_topics
    from streams.role import EMBEDDED
    from streams.supervisor import run_supervisor

    if os.environ.get(EMBEDDED):
        partitions_found(settings)
    else:
        require_topics(settings)  # said once here, rather than by every child again and again
    roles = ("behaviour", "learner", "sink") if role == "all" else (role,)
    raise typer.Exit(run_supervisor(settings, roles, count))
