"""`attune serve`: the HTTP API, put together from its parts."""

import os
import signal
import tempfile
from typing import TYPE_CHECKING, Annotated, Final

import typer

from attune.cli.options import Bootstrap, Redis
from streams.settings import read_settings

if TYPE_CHECKING:
    from litestar.types import ASGIApp

BACKLOG: Final = 2_048
MULTIPROC: Final = "PROMETHEUS_MULTIPROC_DIR"


def serve(
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Where to listen, 0 for a free port (ATTUNE_HTTP_PORT).")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many; each holds the whole catalogue.")] = 1,
    bootstrap: Bootstrap = None,
    redis: Redis = None,
) -> None:
    """Serve recommendations, similar items, behaviour and erasure over HTTP until SIGTERM or Ctrl-C.

    The OpenAPI document is at /schema. Tokens are in the settings, table api_tokens.

    [bold]Examples[/bold]

      attune serve --port 8080

      attune serve --host 0.0.0.0 --port 8080 --processes 4
    """
    given = {"ATTUNE_BOOTSTRAP": bootstrap, "ATTUNE_REDIS": redis, "ATTUNE_HTTP_PORT": port}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})  # children read it too
    settings = read_settings()
    from streams.admin import partitions_found
    from streams.role import EMBEDDED

    if not os.environ.get(EMBEDDED):
        partitions_found(settings)  # says at once that nothing answers
    with tempfile.TemporaryDirectory(prefix="attune-serve-") as counts:
        if processes > 1:
            os.environ[MULTIPROC] = counts
        run("attune.cli.serve:application", host, settings.http_port, processes)


def run(factory: str, host: str, port: int, processes: int = 1) -> None:
    """Serve what `factory` makes, in so many processes, and print the address."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(
        factory, factory=True, host=host, port=port, workers=processes, log_level="warning", access_log=False,
        loop="uvloop", http="httptools", ws="none", server_header=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn stops by its own handlers, then raises the signal for these
    listening = config.bind_socket()
    listening.listen(BACKLOG)  # from the moment that the address is printed, nobody is refused
    typer.echo(f"http://{host}:{listening.getsockname()[1]}")
    server = uvicorn.Server(config)
    if processes > 1:
        Multiprocess(config, [listening]).run()
    else:
        server.run(sockets=[listening])


def application() -> "ASGIApp":
    """The API of the settings: what each process serves."""
    from attune.api import api

    return api(read_settings())
