"""`attune lag`: how far behind every consumer group is; `attune lag serve`: the collector with /metrics."""

import pathlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from serving.lag.errors import LagError
from streams.settings import Settings, SettingsError, read_settings
from streams.topics import GROUPS

if TYPE_CHECKING:
    from serving.lag.collector import Collector

WATCH_EVERY_S = 2.0
TABLE_ROWS = 40
PIPED_WIDTH = 160

lag = typer.Typer(help="Lag of consumer groups: records, seconds, status, when it will be gone.")

Groups = Annotated[list[str] | None, typer.Option("--group", "-g", help="A group to show; repeatable.")]
AllGroups = Annotated[bool, typer.Option("--all-groups", help="Every group of the cluster.")]
Bootstrap = Annotated[str | None, typer.Option("--bootstrap", help="Kafka's address (ATTUNE_BOOTSTRAP).")]
Json = Annotated[bool, typer.Option("--json", help="An array, one object per group, topic and partition.")]


@lag.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    group: Groups = None,
    all_groups: AllGroups = False,
    json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    all_rows: Annotated[bool, typer.Option("--all-rows", help=f"Not only the worst {TABLE_ROWS}.")] = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Show the lag of Attune's groups, or of those named."""
    context.obj = (group, all_groups, bootstrap)
    if context.invoked_subcommand is not None:
        return
    from serving.lag.row import as_json
    from serving.lag.table import summary, table

    settings = _settings(bootstrap=bootstrap)
    rows_shown = None if all_rows else TABLE_ROWS
    try:
        with _collector(settings, group, all_groups) as collector:
            if watch:
                _watch(collector, json, rows_shown)
                return
            rows = collector.sample_with_rates()
    except LagError as error:
        raise _failed(error) from None
    except KeyboardInterrupt:
        return
    for name in sorted(set(group or ()) - {row.group for row in rows}):
        typer.echo(f"group {name}: not known to this cluster, or it has neither members nor commits", err=True)
    if json:
        typer.echo(as_json(rows).decode())
        return
    console = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)
    console.print(summary(rows), soft_wrap=True)
    if rows:
        console.print(table(rows, rows_shown, console.width))


@lag.command()
def serve(
    context: typer.Context,
    group: Groups = None,
    all_groups: AllGroups = False,
    bootstrap: Bootstrap = None,
    host: Annotated[str, typer.Option(help="Address to bind.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port, 0 for a free one (ATTUNE_LAG_PORT).", min=0, max=65535)
    ] = None,
    interval: Annotated[float, typer.Option(help="Seconds between samples.", min=1.0, max=600.0)] = 10.0,
    probe: Annotated[
        float, typer.Option(help="Seconds between probe events, one a partition of views; 0 for none.", min=0.0)
    ] = 0.0,
) -> None:
    """Collect without end; metrics on /metrics, health on /healthz. SIGTERM or Ctrl-C ends it.

    With --probe a probe event travels the pipeline for each partition, so that silence can be told from a quiet night.
    One collector of a deployment does that.

    [bold]Example[/bold]   attune lag serve --port 9308 --probe 10
    """
    from serving.lag.watch import Watch  # brings structlog, a third of a second that the table does not need
    from serving.prober import Prober

    outer_groups, outer_all, outer_bootstrap = context.obj
    settings = _settings(bootstrap=bootstrap or outer_bootstrap, lag_port=port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with _collector(settings, group or outer_groups, all_groups or outer_all) as collector:
            prober = Prober(settings.bootstrap, settings.kafka, interval_s=probe) if probe else None
            if prober is not None:
                threading.Thread(target=prober.run, args=(stop,), name="prober", daemon=True).start()
            watch = Watch(collector, interval, more=prober.exposition if prober is not None else bytes)
            with watch.server(host, settings.lag_port) as server:
                typer.echo(f"metrics on http://{host}:{server.port}/metrics")
                watch.run(stop)
    except LagError as error:
        raise _failed(error) from None


def _watch(collector: "Collector", json: bool, rows_shown: int | None) -> None:
    from rich.console import Group
    from rich.live import Live

    from serving.lag.row import as_json
    from serving.lag.table import summary, table

    pause = threading.Event()
    try:
        if json:
            while True:
                sys.stdout.write(as_json(collector.sample()).decode() + "\n")
                sys.stdout.flush()
                pause.wait(WATCH_EVERY_S)
        console = Console()
        with Live(console=console, auto_refresh=False, screen=sys.stdout.isatty()) as live:
            while True:
                rows = collector.sample()
                live.update(Group(summary(rows), table(rows, rows_shown, console.width)), refresh=True)
                pause.wait(WATCH_EVERY_S)
    except KeyboardInterrupt:
        return


def _collector(settings: Settings, groups: list[str] | None, all_groups: bool) -> "Collector":
    from serving.lag.collector import Collector

    return Collector(
        settings.bootstrap,
        client_config=settings.kafka,
        groups=None if all_groups else (groups or GROUPS),
        state_dir=pathlib.Path(settings.state_dir),
    )


def _settings(bootstrap: str | None, lag_port: int | None = None) -> Settings:
    try:
        return read_settings(bootstrap=bootstrap, lag_port=lag_port)
    except SettingsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def _failed(error: LagError) -> typer.Exit:
    typer.echo(f"error: {error}", err=True)
    return typer.Exit(1)
