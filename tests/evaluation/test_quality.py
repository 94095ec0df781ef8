"""The measurements behind docs/quality.md: kept, not made twice, and written between marks."""

from pathlib import Path

import msgspec
import pytest

from evaluation.next_item import NextItem, judge
from evaluation.quality import Task, kept, run, tasks
from evaluation.quality_table import BEGIN, END, tables, written
from evaluation.replay_file import read_log
from processors.pack import Pack
from tests.evaluation.small_logs import random_log
from tests.evaluation.small_logs import written as log_file

PACKS = {"jobs": Pack(name="jobs", models="blend")}
WANTED = [
    Task("bar log any", "log.jsonl.gz", "jobs", NextItem(baselines=False), bars={"hr@10": 0.0, "mrr@20": 1.1}),
    Task("delay log any 1000", "log.jsonl.gz", "jobs", NextItem(baselines=False, replica_delay_ms=1_000)),
    Task("ablation log any without own", "log.jsonl.gz", "jobs", NextItem(baselines=False), without="without own"),
    Task("ablation log any only own", "log.jsonl.gz", "jobs", NextItem(baselines=False), without="only own"),
    Task("ablation log any only text", "log.jsonl.gz", "jobs", NextItem(baselines=False), without="only text"),
]


def test_what_is_measured_is_kept_and_told(tmp_path: Path) -> None:
    log_file(tmp_path / "log.jsonl.gz", random_log(3))
    resume, said = tmp_path / "kept.jsonl", list[str]()
    first = run(tmp_path, resume, PACKS, WANTED, "abc", said.append)
    with resume.open("ab") as out:
        out.write(b'{"cut')
    before = resume.read_bytes()
    assert run(tmp_path, resume, PACKS, WANTED, "abc", said.append) == first == kept(resume)
    assert resume.read_bytes() == before + b"\n"
    assert first[0].n > 20
    assert first[2].gain["mrr@20"]["value"] == pytest.approx(
        first[0].figures["mrr@20"]["value"] - first[2].figures["mrr@20"]["value"]
    )
    assert first[0].figures["mrr@20"]["rest_low"] <= first[0].figures["mrr@20"]["rest"]
    told = tables(first, "two cores")
    assert "| met |" in told
    assert "**missed**" in told
    assert "without own" in told
    best = max(first[3:], key=lambda one: one.figures["mrr@20"]["value"]).key["task"]["without"]
    assert told.splitlines()[-1].startswith(f"| `log` any | all {first[0].events:,} (abc) | {best} |")
    assert written(f"{BEGIN}{END}", told).startswith(BEGIN)


def test_another_commit_is_another_measurement(tmp_path: Path) -> None:
    log_file(tmp_path / "log.jsonl.gz", random_log(3))
    for commit in ("abc", "def"):
        run(tmp_path, tmp_path / "kept.jsonl", PACKS, WANTED[:1], commit, print)
    assert [one.key["commit"] for one in kept(tmp_path / "kept.jsonl")] == ["abc", "def"]


def test_every_bar_and_delay_is_asked_for() -> None:
    names = [task.name for task in tasks(None)]
    assert len(names) == len(set(names))
    assert {name for name in names if name.startswith("bar")} == {
        *("bar jobs any", "bar jobs new", "bar jobs cold", "bar clicks new", "bar clicks any"),
        *("bar tweets new", "bar retail new"),
    }
    assert msgspec.json.encode(next(tasks(5)))
    assert sum(name.startswith("delay") for name in names) == 15
    assert {(task.name.split()[0], task.limit) for task in tasks(None, 7)} == {
        *(("bar", None), ("delay", 7), ("ablation", 7))
    }


def test_what_comes_later_is_what_the_whole_run_saw(tmp_path: Path) -> None:
    log_file(tmp_path / "log.jsonl.gz", random_log(3))
    judged = judge(read_log(tmp_path / "log.jsonl.gz", None, None), PACKS["jobs"], NextItem())
    later = judged.since(judged.event[10])
    assert later.rank == judged.rank[10:]
    assert later.baseline_ranks["own_recency"].tolist() == judged.baseline_ranks["own_recency"][10:].tolist()


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        written("nothing here", "tables")
