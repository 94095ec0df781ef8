"""All runs of a table, one after the other or in two processes; what is finished is kept and not run again.

A finished run is a line of JSON, known by its world, size, seed and policy, by the pack, and by the sources that made
it: after a change of code nothing old is taken for new.
"""

from __future__ import annotations

import importlib
import inspect
import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from hashlib import blake2b
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

import evaluation
import processors
import schemas
import simulation
from evaluation.policies.audience import Audience
from evaluation.policies.policy import POLICIES
from evaluation.seed_table import Run
from evaluation.world_run import WorldRun
from processors.pack import Pack
from simulation.world import make_world

MAX_PROCESSES: Final = 2
_LOOK_EVERY_S: Final = 0.5
_SOURCES: Final = (evaluation, processors, schemas, simulation)

Show = Callable[[int, int], None]
"""Called with thousandths of runs done, and how many there are."""


class Plan(Struct, frozen=True):
    """One run to do."""

    world: str
    users: int
    days: int
    seed: int
    policy: str
    pack: Pack


class _Kept(Struct, frozen=True):
    key: str
    run: Run


def run_all(
    plans: Sequence[Plan], kept: Path | None, processes: int = 1, show: Show = lambda done, all_: None
) -> list[Run]:
    """Every run, in the order of the plans; `processes` from 1 to `MAX_PROCESSES`.

    `kept`: the file of finished runs, read first and added to as runs finish.
    """
    if not 1 <= processes <= MAX_PROCESSES:
        raise ValueError(f"processes must be 1 to {MAX_PROCESSES}, not {processes}")
    keys = [key_of(plan) for plan in plans]
    done = _read(kept, set(keys))
    shares = [1.0 if key in done else 0.0 for key in keys]

    def progress(place: int, share: float) -> None:
        shares[place] = share
        show(int(1_000 * sum(shares)), 1_000 * len(plans))

    def finished(place: int, run: Run) -> None:
        done[keys[place]] = run
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with kept.open("ab") as file:
                file.write(msgspec.json.encode(_Kept(keys[place], run)) + b"\n")
        progress(place, 1.0)

    waiting = [place for place, key in enumerate(keys) if key not in done]
    if processes == 1 or len(waiting) < 2:
        for place in waiting:
            finished(place, run_one(plans[place], lambda share, place=place: progress(place, share)))  # type: ignore[misc]
    else:
        _in_processes(plans, waiting, processes, progress, finished)
    return [done[key] for key in keys]


def finished_before(plans: Sequence[Plan], kept: Path | None) -> int:
    """How many of the runs are in the file already."""
    return len(_read(kept, {key_of(plan) for plan in plans}))


def run_one(plan: Plan, progress: Callable[[float], None] = lambda share: None) -> Run:
    """Live through one world under one policy."""
    started_s = time.process_time()
    world = make_world(plan.world, plan.seed, plan.users, plan.days)
    audience = Audience()
    policy = POLICIES[plan.policy](world, plan.pack, audience)
    outcomes = WorldRun(world, policy, audience, plan.days).finish(progress)
    outcomes["clicks_per_mail"] = outcomes.get("clicks", 0.0) / max(1.0, outcomes.get("mails", 0.0))
    return Run(plan.policy, plan.seed, outcomes, round(time.process_time() - started_s, 3))


def key_of(plan: Plan) -> str:
    """What a finished run is known by."""
    stamp = blake2b(msgspec.json.encode(plan), digest_size=16)
    files = {path for room in _SOURCES for folder in room.__path__ for path in Path(folder).rglob("*.py")}
    module = plan.world.partition(":")[0]
    if module not in ("jobs", "shop"):
        files.add(Path(inspect.getfile(importlib.import_module(module))))
    for path in sorted(files):
        stamp.update(path.read_bytes())
    return stamp.hexdigest()


def _read(kept: Path | None, wanted: set[str]) -> dict[str, Run]:
    if kept is None or not kept.exists():
        return {}
    found = {}
    for line in kept.read_bytes().splitlines():
        try:
            one = msgspec.json.decode(line, type=_Kept)
        except msgspec.MsgspecError:  # a run was stopped while it wrote its line
            continue
        if one.key in wanted:
            found[one.key] = one.run
    return found


_channel: Queue[tuple[int, float]] | None = None


def _open_channel(channel: Queue[tuple[int, float]]) -> None:
    global _channel  # noqa: PLW0603  # a process of the pool has one, given when it starts
    _channel = channel


def _run_in_pool(place: int, plan: Plan) -> Run:
    told = [0.0]

    def progress(share: float) -> None:
        if _channel is not None and share - told[0] >= 0.01:
            told[0] = share
            _channel.put((place, share))

    return run_one(plan, progress)


def _in_processes(
    plans: Sequence[Plan],
    waiting: Iterable[int],
    processes: int,
    progress: Callable[[int, float], None],
    finished: Callable[[int, Run], None],
) -> None:
    context = multiprocessing.get_context("spawn")
    channel: Any = context.Queue()
    with ProcessPoolExecutor(processes, context, _open_channel, (channel,)) as pool:
        running: dict[Future[Run], int] = {pool.submit(_run_in_pool, n, plans[n]): n for n in waiting}
        try:
            while running:
                ready, _ = wait(running, _LOOK_EVERY_S, FIRST_COMPLETED)
                while not channel.empty():
                    place, share = channel.get()
                    progress(place, share)
                for future in ready:
                    finished(running.pop(future), future.result())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
