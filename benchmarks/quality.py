"""`make quality`: measure what docs/quality.md says about ranking, and write its tables.

    python -m benchmarks.quality --only bar --write docs/quality.md
    python -m benchmarks.quality --only "ablation jobs" --only "delay jobs" --compared 20000

Finished measurements are kept in `--resume FILE` and not made again for the same commit, pack and options.
"""

import argparse
import os
import platform
import sys
from pathlib import Path

from evaluation.quality import commit_of, run, tasks
from evaluation.quality_table import tables, written
from streams.settings import read_settings

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("ATTUNE_DATA"), help="where the logs are (ATTUNE_DATA)"
    )
    parser.add_argument("--resume", type=Path, default=ROOT / ".attune" / "quality.jsonl")
    parser.add_argument("--only", action="append", default=[], help="measurements whose name holds all these words")
    parser.add_argument("--limit", type=int, help="only the first so many events of each log")
    parser.add_argument("--compared", type=int, help="the same for delay curves and ablations alone")
    parser.add_argument("--commit", help="name this commit instead of asking git")
    parser.add_argument("--write", type=Path, help="the page to write the tables into; otherwise they are printed")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data DIR or ATTUNE_DATA: where the logs are")
    wanted = [
        task
        for task in tasks(options.limit, options.compared)
        if not options.only or any(set(words.split()) <= set(task.name.split()) for words in options.only)
    ]
    options.resume.parent.mkdir(parents=True, exist_ok=True)
    packs = read_settings().packs
    commit = options.commit or commit_of(ROOT)
    found = run(options.data, options.resume, packs, wanted, commit, lambda line: print(line, file=sys.stderr))
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    told = tables(found, machine)
    if options.write is None:
        print(told)
    else:
        options.write.write_text(written(options.write.read_text(), told))


if __name__ == "__main__":
    main()
