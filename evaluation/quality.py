"""What docs/quality.md says of ranking: every figure that it is judged by, measured and kept as it goes.

Each finished measurement is a line of JSON with the commit it was made from, and is not made again while file, options,
pack, versions and commit are the same (`benchmarks/quality.py` is the command).
"""

from __future__ import annotations

import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from evaluation.ablation import MODELS, variants
from evaluation.judged import Judged
from evaluation.next_item import NextItem, judge
from evaluation.next_report import intervals, variant
from evaluation.replay_file import ReplayLog, read_log
from processors.pack import Pack

DELAYS_MS: Final = (0, 1_000, 10_000, 3_600_000, 86_400_000)
CHOSEN: Final = 0.6
"""The part of a log that constants may be chosen on."""


class Task(Struct, frozen=True):
    """One measurement. `bars` are metric -> bar, where there is one."""

    name: str
    file: str
    domain: str
    options: NextItem
    limit: int | None = None
    bars: dict[str, float] = {}
    without: str = ""
    """The ablation, by its name in `evaluation.ablation.variants`."""


class Measured(Struct, frozen=True):
    """What came of a task, with what it was made from."""

    key: dict[str, Any]
    n: int
    figures: dict[str, dict[str, float]]
    """Metric -> `value` on the whole, `low` and `high` (95%, by person), `rest`, `rest_low`, `rest_high` after the
    first 60%.
    """
    gain: dict[str, dict[str, float]]
    """Of an ablation: the full blend's figure minus its own, paired, by metric."""
    cpu_s: float
    events: int


FILES: Final = (
    ("clicks.jsonl.gz", "shop", "any"),
    ("jobs.jsonl.gz", "jobs", "any"),
    ("retail.jsonl.gz", "shop", "new"),
)


def tasks(limit: int | None, compared: int | None = None) -> Iterator[Task]:
    """All measurements, the bars first. `limit` is how many events of each log are read (None: all), `compared` the
    same for delay curves and ablations, which run over a log many times.
    """
    compared = limit if compared is None else compared
    for file, domain, candidates, bars in (
        ("jobs.jsonl.gz", "jobs", "any", {"hr@10": 0.83, "mrr@20": 0.66}),
        ("jobs.jsonl.gz", "jobs", "new", {"hr@10": 0.41}),
        ("jobs.jsonl.gz", "jobs", "cold", {"hr@10": 0.55}),
        ("clicks.jsonl.gz", "shop", "new", {"hr@20": 0.515, "mrr@20": 0.24}),
        ("clicks.jsonl.gz", "shop", "any", {"hr@20": 0.67, "mrr@20": 0.355}),
        ("tweets.jsonl.gz", "shop", "new", {"hr@10": 0.245}),
        ("retail.jsonl.gz", "shop", "new", {"hr@10": 0.12, "hr@20": 0.17}),
    ):
        options = NextItem(candidates=candidates, baselines=False)  # type: ignore[arg-type]
        yield Task(f"bar {file.partition('.')[0]} {candidates}", file, domain, options, limit, bars)
    for file, domain, candidates in FILES:
        for delay_ms in DELAYS_MS:
            options = NextItem(candidates=candidates, baselines=False, replica_delay_ms=delay_ms)  # type: ignore[arg-type]
            yield Task(f"delay {file.partition('.')[0]} {candidates} {delay_ms}", file, domain, options, compared)
    for file, domain, candidates in (*FILES, ("jobs.jsonl.gz", "jobs", "new"), ("tweets.jsonl.gz", "shop", "new")):
        options = NextItem(candidates=candidates, baselines=False)  # type: ignore[arg-type]
        for kind in ("without", "only"):
            for model in MODELS:
                name = f"{kind} {model}"
                stem = file.partition(".")[0]
                yield Task(f"ablation {stem} {candidates} {name}", file, domain, options, compared, without=name)


def measure(
    task: Task, log: ReplayLog, pack: Pack, full: Judged | None, key: dict[str, Any]
) -> tuple[Measured, Judged]:
    """Run one task; `full` is what the whole blend did, for an ablation."""
    changed = variants(pack)[task.without] if task.without else pack
    started_s = time.process_time()
    judged = judge(log, changed, task.options)
    cpu_s = time.process_time() - started_s
    gain: Mapping[str, Any] = variant(task.name, full, judged).gain if full is not None else {}
    return (
        Measured(
            key,
            len(judged),
            _figures(judged),
            {name: {"value": g.value, "low": g.low, "high": g.high} for name, g in gain.items()},
            round(cpu_s, 1),
            judged.events,
        ),
        judged,
    )


def _figures(judged: Judged) -> dict[str, dict[str, float]]:
    later = judged.since(int(CHOSEN * judged.events))
    rest = intervals(later)
    found: dict[str, dict[str, float]] = {}
    for name, interval in intervals(judged).items():
        told = {"value": interval.value, "low": interval.low, "high": interval.high}
        if name in rest:
            told |= {"rest": rest[name].value, "rest_low": rest[name].low, "rest_high": rest[name].high}
        found[name] = told
    return found


def key_of(task: Task, pack: Pack, commit: str) -> dict[str, Any]:
    """What a measurement depends on."""
    return {
        "task": msgspec.to_builtins(task),
        "pack": msgspec.to_builtins(pack),
        "commit": commit,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def commit_of(root: Path) -> str:
    """The commit of the working tree, with `+` where it was changed since."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"


def kept(file: Path) -> list[Measured]:
    """The measurements of a resume file; a line that was cut short is none."""
    found: list[Measured] = []
    for line in file.read_bytes().splitlines() if file.exists() else []:
        try:
            found.append(msgspec.json.decode(line, type=Measured))
        except msgspec.MsgspecError:
            continue
    return found


def run(
    data: Path, resume: Path, packs: Mapping[str, Pack], wanted: list[Task], commit: str, say: Callable[[str], None]
) -> list[Measured]:
    """Make what is missing of the wanted tasks; returns all of them, made now or before."""
    known = {msgspec.json.encode(one.key): one for one in kept(resume)}
    if resume.exists() and not resume.read_bytes().endswith(b"\n"):
        resume.write_bytes(resume.read_bytes() + b"\n")
    found: list[Measured] = []
    full: dict[tuple[str, str, int | None], Judged] = {}
    read: tuple[tuple[str, int | None], ReplayLog] | None = None
    for task in wanted:
        pack = packs[task.domain]
        key = msgspec.json.decode(msgspec.json.encode(key_of(task, pack, commit)))
        if (one := known.get(msgspec.json.encode(key))) is None:
            if read is None or read[0] != (task.file, task.limit):
                read = ((task.file, task.limit), read_log(data / task.file, task.limit, None))
            of = (task.file, task.options.candidates, task.limit)
            if task.without and of not in full:
                full[of] = judge(read[1], pack, task.options)
            one, _ = measure(task, read[1], pack, full[of] if task.without else None, key)
            with resume.open("ab") as out:
                out.write(msgspec.json.encode(one) + b"\n")
        found.append(one)
        say(f"{task.name}: n {one.n}, {one.figures}")
    return found
