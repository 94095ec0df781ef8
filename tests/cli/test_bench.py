"""`attune bench`: what there is, and a name that is none."""

from pathlib import Path

from tests.cli.command import ROOT, attune


def test_every_benchmark_is_listed_with_what_it_measures() -> None:
    lines = attune("bench", "list").out.splitlines()
    named = {line.split()[0] for line in lines}
    assert (
        {"spine", "api", "search", "quality"} <= named <= {file.stem for file in Path(ROOT, "benchmarks").glob("*.py")}
    )
    assert all(len(line.split()) > 3 for line in lines)


def test_what_follows_the_name_is_the_benchmarks_own() -> None:
    done = attune("bench", "spine", "--events", "none")
    assert done.code == 1
    assert "argument --events: invalid int value: 'none'" in done.err


def test_a_name_that_is_none_is_wrong_usage() -> None:
    done = attune("bench", "warp")
    assert done.code == 2
    assert "'warp' is none of" in done.err
