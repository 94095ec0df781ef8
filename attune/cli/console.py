"""`attune console`: what on-call looks at, put together from its parts."""

import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attune.cli.options import Bootstrap, Redis
from streams.settings import Settings, read_settings
from streams.topics import GROUPS

if TYPE_CHECKING:
    from litestar import Litestar


def console(
    worker: Annotated[
        list[str] | None,
        typer.Option(
            help="HOST:PORT of a worker's health and metrics; repeatable. By default ATTUNE_WORKER_PORT here."
        ),
    ] = None,
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="A further consumer group to show.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Where to listen, 0 for a free port (ATTUNE_CONSOLE_PORT).")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    bootstrap: Bootstrap = None,
    redis: Redis = None,
) -> None:
    """Serve the console: lag, dead letters, models, people, sending, topology.

    Reads Kafka, Redis and the workers' ports; what is away is shown as away. Passwords are ATTUNE_CONSOLE_OPERATOR and
    ATTUNE_CONSOLE_VIEWER; where there is none, one for the operator is made up and printed.

    [bold]Example[/bold]   attune console --port 8090 --worker 127.0.0.1:8080
    """
    settings = read_settings(bootstrap=bootstrap, redis=redis, console_port=port)
    operator = settings.console_operator
    if not operator and not settings.console_viewer:
        operator = secrets.token_urlsafe(12)
        typer.echo(f"operator's password, until this ends: {operator}", err=True)
    addresses = worker or ([f"127.0.0.1:{settings.worker_port}"] if settings.worker_port else [])
    for address in addresses:
        if not address.rpartition(":")[2].isdecimal():
            raise typer.BadParameter(f"--worker {address}: is not HOST:PORT")
    serve(application(settings, addresses, operator, [*GROUPS, *(group or ())]), host, settings.console_port)


def application(settings: Settings, workers: list[str], operator: str, groups: list[str]) -> "Litestar":
    """The console over real parts."""
    from concurrent.futures import ThreadPoolExecutor

    from attune.console import HouseLookups
    from serving.console.application import application as over
    from serving.console.audit import Audit
    from serving.console.lag_feed import LagFeed
    from serving.console.owners import Owners
    from serving.console.sessions import Sessions
    from serving.console.state import THREADS, Console
    from serving.console.workers import Workers
    from serving.lag.collector import Collector

    state_dir = Path(settings.state_dir)
    lag = LagFeed(lambda: Collector(settings.bootstrap, settings.kafka, groups=groups, state_dir=state_dir))
    return over(
        Console(
            lag=lag,
            workers=Workers(workers),
            owners=Owners(settings.bootstrap, settings.kafka, lambda: sorted({row.group for row in lag.view.rows})),
            lookups=HouseLookups(settings),
            sessions=Sessions({"viewer": settings.console_viewer, "operator": operator}),
            audit=Audit(state_dir, settings.erasure_key),
            bootstrap=settings.bootstrap,
            pool=ThreadPoolExecutor(THREADS, thread_name_prefix="console"),
        )
    )


def serve(app: "Litestar", host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C, and print the address."""
    import uvicorn

    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, ws="none", server_header=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn stops by its own handlers, then raises the signal for these
    listening = config.bind_socket()
    listening.listen()
    typer.echo(f"console on http://{host}:{listening.getsockname()[1]}/")
    uvicorn.Server(config).run(sockets=[listening])
