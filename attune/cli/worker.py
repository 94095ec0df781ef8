"""`attune worker`: the processes that do the work, under a supervisor that restarts them."""

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
    settings = read_settings(bootstrap=bootstrap, redis=redis, worker_port=port)
    from streams.supervisor import run_supervisor

    roles = ("behaviour", "learner", "sink") if role == "all" else (role,)
    raise typer.Exit(run_supervisor(settings, roles, count))
