"""`attune evaluate`: how good the lists are, on a log, in process and without Kafka."""

import gc
import resource
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
import typer

from attune.cli.failure import CommandError
from attune.cli.options import Json, console, print_json, progress_console
from streams.settings import read_settings

if TYPE_CHECKING:
    from evaluation.judged import Judged
    from evaluation.next_report import NextReport
    from processors.pack import Pack

MB: Final = 1024.0
"""`ru_maxrss` is in KB on Linux."""

Protocol = Literal["next", "sessions", "off-policy", "search"]


def evaluate(
    file: Annotated[Path | None, typer.Argument(help="next, search: a replay file (JSON Lines, gzip allowed).")] = None,
    protocol: Annotated[Protocol, typer.Option(help="next and search take FILE, the others their own files.")] = "next",
    candidates: Annotated[
        Literal["any", "new", "cold"], typer.Option(help="All items, those new to the person, or never acted on.")
    ] = "any",
    steps: Annotated[
        Literal["basket", "strict"],
        typer.Option(help="Of events at one time: the earlier lines are known, or none are."),
    ] = "basket",
    replica_delay_ms: Annotated[
        int, typer.Option(min=0, help="How far the ranking models lag behind the log; 86400000 is a nightly batch.")
    ] = 0,
    train: Annotated[Path | None, typer.Option(help="sessions: learned in one pass.")] = None,
    test: Annotated[Path | None, typer.Option(help="sessions: the last id of each line is predicted.")] = None,
    log: Annotated[Path | None, typer.Option(help="off-policy: logged decisions with propensities (CSV).")] = None,
    target: Annotated[Path | None, typer.Option(help="off-policy: the log of the policy to judge (CSV).")] = None,
    domain: Annotated[str | None, typer.Option(help="The pack (ATTUNE_DOMAIN).")] = None,
    models: Annotated[
        Literal["spine", "blend"] | None, typer.Option(help="The transparent blend or the learned one, not the pack's.")
    ] = None,
    warmup: Annotated[float, typer.Option(min=0.0, max=0.99, help="The share that is learned, not scored.")] = 0.1,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many events (sessions: lines).")] = None,
    until: Annotated[
        str | None, typer.Option(help="Nothing later: 2026-03-01, 2026-03-01T12:00Z, or ms since the epoch.")
    ] = None,
    ablation: Annotated[bool, typer.Option("--ablation", help="Also each model alone, and all but one.")] = False,
    by: Annotated[Literal["segment"] | None, typer.Option(help="Figures by kind of people.")] = None,
    slate: Annotated[
        bool, typer.Option("--slate", help="Judge what is published: with caps, exploration and minimum interval.")
    ] = False,
    intervals: Annotated[bool, typer.Option("--intervals", help="95% intervals, by person.")] = False,
    baselines: Annotated[bool, typer.Option(help="Simple models beside the pipeline.")] = True,
    svg: Annotated[Path | None, typer.Option(help="Write the plot of the windows to this file.")] = None,
    json: Json = False,
) -> None:
    """Judge the lists on a log, in process, without Kafka and without a look ahead.

    The same functions as in the workers take every event: before each, the pipeline's list is judged by it.

    [bold]Examples[/bold]

      attune evaluate jobs.jsonl.gz --candidates new

      attune evaluate clicks.jsonl.gz --domain shop --replica-delay-ms 86400000 --json

      attune evaluate --protocol sessions --train train.txt.gz --test test.txt.gz --domain shop

      attune evaluate jobs.jsonl.gz --protocol search --json

      attune evaluate --protocol off-policy --log random.csv.gz --target bts.csv.gz
    """
    needs: dict[Protocol, dict[str, Path | None]] = {
        "next": {"FILE": file},
        "sessions": {"--train": train, "--test": test},
        "off-policy": {"--log": log, "--target": target},
        "search": {"FILE": file},
    }
    _check(protocol, needs)
    if protocol == "off-policy" and log is not None and target is not None:
        _off_policy(log, target, json)
        return
    pack = read_settings(domain=domain).pack
    if models is not None:
        pack = msgspec.structs.replace(pack, models=models)
    if protocol == "search" and file is not None:
        if candidates != "any" or slate or replica_delay_ms or ablation or by or until or steps != "basket":
            raise typer.BadParameter("the protocol search takes --domain, --models and --limit, and no other option")
        from attune.cli.evaluate_search import evaluate_search

        evaluate_search(file, pack, limit, json)
        return
    until_ms = None if until is None else _moment(until)
    asked = {
        "until_ms": until_ms,
        "warmup": warmup,
        "replica_delay_ms": replica_delay_ms,
        "slate": slate,
        "limit": limit,
    }
    if protocol == "sessions" and train is not None and test is not None:
        if candidates != "any" or slate or replica_delay_ms or ablation or by or until or steps != "basket":
            raise typer.BadParameter("the protocol sessions ranks all items of train, without further options")
        report = _sessions(train, test, pack, limit, baselines)
    elif file is not None:
        from evaluation.next_item import NextItem

        options = NextItem(
            candidates=candidates,
            steps=steps,
            replica_delay_ms=replica_delay_ms,
            warmup=warmup,
            slate=slate,
            baselines=baselines,
        )
        report = _next(
            file, pack, options, limit=limit, until_ms=until_ms, ablation=ablation, by=by, intervals=intervals
        )
        report.config.update(asked)
    else:
        raise AssertionError(protocol)
    if svg is not None:
        from evaluation.report import svg_of

        svg.write_text(svg_of(report))
    if json:
        print_json(report)
    else:
        from evaluation.report import show_next

        show_next(report, console())


def _moment(text: str) -> int:
    """Milliseconds since the epoch; a time without a zone is UTC.

    >>> _moment("1970-01-02"), _moment("1970-01-01T01:00+01:00"), _moment("86400000")
    (86400000, 0, 86400000)
    """
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-03-01T12:00Z", param_hint="--until") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _check(protocol: Protocol, needs: dict[Protocol, dict[str, Path | None]]) -> None:
    """Every protocol has its own files, and no other's."""
    for name, path in needs[protocol].items():
        if path is None:
            raise typer.BadParameter(f"the protocol {protocol} needs {name}")
    for other, files in needs.items():
        for name, path in files.items():
            if name not in needs[protocol] and path is not None:
                raise typer.BadParameter(f"{name} belongs to the protocol {other}, not to {protocol}")


def _next(
    file: Path,
    pack: "Pack",
    options: Any,
    *,
    limit: int | None,
    until_ms: int | None,
    ablation: bool,
    by: str | None,
    intervals: bool,
) -> "NextReport":
    from evaluation import next_report
    from evaluation.ablation import variants
    from evaluation.next_item import judge
    from evaluation.replay_file import ReplayFileError, read_log
    from evaluation.task_progress import TaskProgress

    with TaskProgress(progress_console()) as progress:
        try:
            read = read_log(file, limit, progress.task(f"reading {file.name}"), until_ms)
        except (ReplayFileError, EOFError) as error:
            raise CommandError(str(error)) from None
        for line in read.rejected[:5]:
            typer.echo(f"rejected: line {line.line}: {line.reason}", err=True)
        if len(read.rejected) > 5:
            typer.echo(f"rejected: {len(read.rejected) - 5:,} more lines", err=True)
        gc.freeze()  # the log is there to stay: collecting garbage need not look at it
        started_s = time.perf_counter()
        full = judge(read, pack, options, progress.task("judging"))
        seconds = time.perf_counter() - started_s
        alone = msgspec.structs.replace(options, baselines=False)
        ablated = [
            next_report.variant(name, full, judge(read, changed, alone, progress.task(name)))
            for name, changed in (variants(pack) if ablation else {}).items()
        ]
    report = _report(
        full, pack, seconds, file=file.name, protocol="next", candidates=options.candidates, steps=options.steps
    )
    if ablation:
        report.ablation = ablated
    if by == "segment":
        report.segments = next_report.groups(full)
    if intervals:
        report.intervals = next_report.intervals(full)
    return report


def _sessions(train: Path, test: Path, pack: "Pack", limit: int | None, baselines: bool) -> "NextReport":
    from evaluation.sessions import SessionsError, judge_sessions, read_sessions
    from evaluation.task_progress import TaskProgress

    with TaskProgress(progress_console()) as progress:
        try:
            learned, predicted = read_sessions(train)[:limit], read_sessions(test)[:limit]
        except (SessionsError, EOFError) as error:
            raise CommandError(str(error)) from None
        gc.freeze()
        started_s = time.perf_counter()
        judged = judge_sessions(learned, predicted, pack, baselines=baselines, progress=progress.task("judging"))
        seconds = time.perf_counter() - started_s
    name = f"{train.name}, {test.name}"
    report = _report(judged, pack, seconds, file=name, protocol="sessions", candidates="any", steps="basket")
    report.config["limit"] = limit
    return report


def _report(judged: "Judged", pack: "Pack", seconds: float, **named: Any) -> "NextReport":
    from evaluation.next_report import NextReport, figures

    return NextReport(
        **named,
        domain=pack.name,
        **figures(judged),
        seconds=round(seconds, 3),
        events_per_s=round(judged.events / seconds, 1),
        peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB, 1),
        config={"attune": version("attune"), "numpy": version("numpy"), "pack": msgspec.to_builtins(pack)},
    )


def _off_policy(log: Path, target: Path, json: bool) -> None:
    import numpy as np

    from evaluation.bandit_log import BanditLogError
    from evaluation.off_policy import judge_files
    from evaluation.report import show_off_policy

    try:
        report = judge_files(log, target, np.random.default_rng(0))
    except BanditLogError as error:
        raise CommandError(str(error)) from None
    if json:
        print_json(report)
    else:
        show_off_policy(report, console())
