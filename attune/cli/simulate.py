"""`attune simulate`: policies in a world with hidden truth, in process and without Kafka."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Json, console, print_json, progress_console
from streams.settings import read_settings

if TYPE_CHECKING:
    from evaluation.seed_table import Table

BASELINE: Final = "saved-search-10h"
MAX_SEEDS: Final = 1_000


def simulate(
    more: Annotated[list[str] | None, typer.Argument(help="Further policies.", metavar="[NAME]...")] = None,
    world: Annotated[
        str,
        typer.Option(
            help="jobs, shop, jobs:VARIANT, shop:VARIANT, or anyone's module:Class, here or on the PYTHONPATH."
        ),
    ] = "jobs",
    users: Annotated[int, typer.Option(min=1, help="People in the world.")] = 1_000,
    days: Annotated[int, typer.Option(min=1, help="Days to live through, after the world's history.")] = 42,
    seeds: Annotated[str, typer.Option(help="1,2,3 or 1-20: every policy runs under each.")] = "1,2,3",
    policy: Annotated[list[str] | None, typer.Option(help="A policy, or several with commas; all: every one.")] = None,
    baseline: Annotated[str, typer.Option(help="What the others are compared with.")] = BASELINE,
    resume: Annotated[
        Path | None, typer.Option(help="Where finished runs are kept (simulations.jsonl in the state directory).")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=2, help="Runs at a time.")] = 2,
    domain: Annotated[str | None, typer.Option(help="The pack, where the world's name is none.")] = None,
    json: Json = False,
) -> None:
    """What people would do: whole policies, items and hours and all, judged by a world's hidden truth.

    The figures are simulated. A finished run is kept, and not run again until code, pack or size change.

    [bold]Examples[/bold]

      attune simulate --world jobs --users 500 --days 14 --policy attune --policy nightly-batch

      attune simulate --world shop --seeds 1-5 --policy all --json

      attune simulate --world my_world:MyWorld --domain shop --users 100 --days 7
    """
    from evaluation.policies.oracle import NoTruthError
    from evaluation.seed_table import table_of
    from evaluation.task_progress import TaskProgress
    from evaluation.world_records import WorldError
    from evaluation.world_runs import Plan, finished_before, run_all
    from evaluation.world_table import show
    from simulation.world import BUILTIN, UnknownWorldError, find_world, make_world

    numbers = _seeds(seeds)
    names = _policies([*(policy or ()), *(more or ())], baseline)
    first = world.partition(":")[0]
    settings = read_settings(domain=domain or (first if first in ("jobs", "shop") else None))
    try:
        if str(Path.cwd()) not in sys.path:  # an installed command does not look where it is called
            sys.path.insert(0, str(Path.cwd()))
        if first in BUILTIN:
            make_world(world, numbers[0], 1, 1)
        else:
            find_world(world)
    except UnknownWorldError as error:
        raise typer.BadParameter(str(error), param_hint="--world") from None
    plans = [Plan(world, users, days, seed, name, settings.pack) for seed in numbers for name in names]
    kept = resume or Path(settings.state_dir) / "simulations.jsonl"
    before = finished_before(plans, kept)
    if before:
        typer.echo(f"{before} of {len(plans)} runs are in {kept} already", err=True)
    with TaskProgress(progress_console()) as progress:
        task = progress.task(f"{world}, {users:,} people, {days} days: thousandths of {len(plans)} runs")
        try:
            runs = run_all(plans, kept, processes, task)
        except (NoTruthError, WorldError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError(f"stopped; the same command goes on from the runs that {kept} holds") from None
    table: Table = table_of(runs, world, users, days, baseline)
    if json:
        print_json(table)
    else:
        show(table, console())


def _seeds(text: str) -> list[int]:
    try:
        parts = [part.partition("-") for part in text.split(",")]
        found = [seed for low, _, high in parts for seed in range(int(low), int(high or low) + 1)]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of seeds such as 1,2,3 or 1-20", param_hint="--seeds") from None
    if not 1 <= len(found) <= MAX_SEEDS:
        raise typer.BadParameter(f"{text!r} names {len(found)} seeds, not 1 to {MAX_SEEDS}", param_hint="--seeds")
    return list(dict.fromkeys(found))


def _policies(asked: list[str], baseline: str) -> list[str]:
    from evaluation.policies.policy import POLICIES

    names = [name.strip() for part in asked for name in part.split(",")] or ["attune"]
    if "all" in names:
        names = list(POLICIES)
    for name in (*names, baseline):
        if name not in POLICIES:
            raise typer.BadParameter(f"no policy {name!r}: use {', '.join(POLICIES)}", param_hint="--policy")
    return list(dict.fromkeys([baseline, *names]))
