"""`attune experiment`: start, look at and stop an experiment."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, console, print_json
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evaluation.comparison import Verdict
    from evaluation.trial import Status
    from streams.experiment_file import Experiments

DAY_MS: Final = 86_400_000

experiment = typer.Typer(help="Experiments: start, status, stop.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The experiment's name.")]


@experiment.command()
def start(
    name: Name,
    arms: Annotated[str, typer.Option(help="Arms and shares, the control first.")] = "control=0.5,treatment=0.5",
    salt: Annotated[str, typer.Option(help="What the arms are drawn by; the name, if not given.")] = "",
    holdout: Annotated[float, typer.Option(min=0.0, max=0.5, help="The share that no experiment touches.")] = 0.05,
    window_d: Annotated[float, typer.Option(min=0.01, help="Days after the first exposure that count.")] = 7.0,
    switch: Annotated[
        list[str] | None, typer.Option(metavar="ARM:FIELD=VALUE", help="What of the pack is different in an arm.")
    ] = None,
    json: Json = False,
) -> None:
    """Define an experiment and start it now. A name is used once.

    Workers that have this state directory know of it within a second.

    [bold]Examples[/bold]

      attune experiment start fresher --switch treatment:freshness_half_life_d=3

      attune experiment start text --arms control=0.8,more=0.2 --switch more:scores.text=2.5 --json
    """
    import msgspec

    from processors.experiment import Experiment
    from streams.experiment_file import ExperimentError

    try:
        shares = {arm.strip(): float(share) for arm, _, share in (part.partition("=") for part in arms.split(","))}
        defined = Experiment(
            name=name,
            arms=shares,
            salt=salt,
            holdout=holdout,
            packs=_packs(switch or ()),
            window_ms=int(window_d * DAY_MS),
            started_ms=time.time_ns() // 1_000_000,
        )
        msgspec.convert(msgspec.to_builtins(defined), Experiment)  # the constructor checks no types
    except (ValueError, msgspec.ValidationError) as error:
        raise typer.BadParameter(str(error), param_hint="--arms, --switch") from None
    try:
        _experiments().start(defined)
    except ExperimentError as error:
        raise CommandError(str(error)) from None
    if json:
        print_json(defined)
    else:
        typer.echo(f"{name} runs: {', '.join(f'{arm} {share:.1%}' for arm, share in defined.shares.items())}")


@experiment.command()
def stop(name: Name, json: Json = False) -> None:
    """Let nobody else in. Windows that are open still close."""
    from streams.experiment_file import ExperimentError

    try:
        stopped = _experiments().stop(name, time.time_ns() // 1_000_000)
    except ExperimentError as error:
        raise CommandError(str(error)) from None
    if json:
        print_json(stopped)
    else:
        typer.echo(f"{name} is stopped")


@experiment.command()
def status(
    name: Name,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Logs in replay form: decisions that bear arms, and events. None: Kafka."),
    ] = None,
    metric: Annotated[Literal["applies", "apply_starts", "clicks"], typer.Option(help="Per person.")] = "applies",
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """What can be said now; it may be asked as often as one likes.

    Exit code 1 with an alarm: the split is not as planned, somebody was in a wrong arm, or a guardrail broke.

    [bold]Examples[/bold]

      attune experiment status fresher

      attune experiment status fresher log.jsonl.gz --metric clicks --json
    """
    from evaluation.trial_log import records_of, status_of
    from streams.experiment_file import ExperimentError

    try:
        experiment = _experiments().named(name)
    except ExperimentError as error:
        raise CommandError(str(error)) from None
    if files:
        found = status_of(experiment, (record for file in files for record in records_of(file)), metric)
    else:
        found = status_of(experiment, _on_kafka(read_settings(bootstrap=bootstrap)), metric)
    if json:
        print_json(found)
    else:
        _show(found)
    if found.split_alarm or found.misassigned or any(arm.guardrail_alarm for arm in found.arms.values()):
        raise typer.Exit(1)


def _packs(switches: "Iterable[str]") -> dict[str, dict[str, Any]]:
    """`ARM:FIELD=VALUE` and `ARM:FIELD.FIELD=VALUE`; values as in TOML, bare words as strings."""
    import tomllib

    packs: dict[str, dict[str, Any]] = {}
    for switch in switches:
        arm, colon, rest = switch.partition(":")
        field, equals, text = rest.partition("=")
        if not (arm and colon and field and equals):
            raise ValueError(f"{switch!r} is not ARM:FIELD=VALUE")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        inner = packs.setdefault(arm, {})
        *outer, last = field.split(".")
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return packs


def _on_kafka(settings: Settings) -> "Iterator[tuple[str, bytes, bytes]]":
    from evaluation.trial_log import DECISIONS, OUTCOMES
    from streams.scan import scan

    for topic in (*DECISIONS, *OUTCOMES):
        for message in scan(settings, topic, range(settings.partitions)):
            yield topic, message.key() or b"", message.value() or b"null"


def _experiments() -> "Experiments":
    from streams.experiment_file import ExperimentError, Experiments

    try:
        return Experiments(read_settings())
    except ExperimentError as error:
        raise CommandError(str(error)) from None


def _show(found: "Status") -> None:
    from rich.table import Table

    grid = Table(title=f"{found.name}: {found.metric} per person, {'running' if found.running else 'stopped'}")
    for column in ("arm", "exposed", "observed", "mean", "control less arm", "unsubscribes: control less arm", "says"):
        grid.add_column(column)
    for name, arm in found.arms.items():
        mean = "–" if arm.mean is None else f"{arm.mean:.4f}"
        says = "unsubscribes: stop" if arm.guardrail_alarm else ""
        if arm.comparison is not None and arm.comparison.winner is not None:
            says = f"{says} better: {arm.comparison.winner}".strip()
        cells = (str(arm.exposed), str(arm.observed), mean, _interval(arm.comparison), _interval(arm.guardrail), says)
        grid.add_row(name, *cells)
    console().print(grid)
    if found.split_alarm:
        typer.echo("ALARM: the split is not as planned; the figures mean nothing", err=True)
    if found.misassigned:
        typer.echo(f"ALARM: {found.misassigned} people were in an arm that is not theirs", err=True)


def _interval(verdict: "Verdict | None") -> str:
    if verdict is None or verdict.difference is None:
        return "–"
    found = verdict.difference
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
