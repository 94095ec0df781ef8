"""The spine's benchmark: rates, latency, and what state costs, on a real Kafka started for it.

python -m benchmarks.spine [--events 100000] [--people 20000] [--items 100000] [--only rates,latency,footprint] [--json]
"""

import argparse
import json
import os
import platform
import sys
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import footprint, latency, rates
from streams.settings import read_settings
from tests.integration.provision import provide

SECTIONS = ("rates", "workers", "latency", "footprint")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Everything asked for, as one JSON object."""
    result: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, Faust {version('faust-streaming')}",
        "people": args.people,
        "parts": [],
    }
    wanted = args.only.split(",")
    with ExitStack() as stack:
        source = provide(is_measured=True)
        stack.callback(source.close)
        settings = read_settings({"ATTUNE_BOOTSTRAP": source.bootstrap})
        if "rates" in wanted:
            for name in rates.PARTS:
                result["parts"].append(rates.measure(settings, name, args.people, args.items, args.events))
                say(result["parts"][-1])
            ratio = {part["part"]: part["ratio"] for part in result["parts"]}
            of_clean = ratio["state path, 1 % poison"] / ratio["state path"]
            result["poison"] = {"of_the_clean_rate": round(of_clean, 2), "bar": 0.8}
            say(result["poison"])
        if "workers" in wanted:
            result["two_workers"] = rates.measure(
                settings, "state path", args.people, args.items, args.events, workers=2
            )
            say(result["two_workers"])
        if "latency" in wanted:
            lists = [
                part["events_per_s"] for part in result["parts"] if part["part"].startswith("a list for every 4th")
            ]
            rate = lists[0] / 2 if lists else args.rate
            result["latency"] = latency.measure(settings, args.people, args.items, rate)
            say(result["latency"])
        if "footprint" in wanted:
            result["footprint"] = footprint.measure(settings)
            say(result["footprint"])
            if data := os.environ.get("ATTUNE_DATA"):
                result["profiles"] = footprint.profile_bytes(Path(data) / "jobs.jsonl.gz", settings.packs["jobs"])
                say(result["profiles"])
    return result


def say(part: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(part) + "\n")


def show(result: dict[str, Any]) -> None:
    """The same for people."""
    console = Console()
    console.print(result["machine"])
    table = Table("part", "events/s", "no-op agent", "ratio", "bar")
    for part in (*result["parts"], *([result["two_workers"]] if "two_workers" in result else [])):
        name = part["part"] + (", two workers" if part["workers"] == 2 else "")
        table.add_row(
            name,
            f"{part['events_per_s']:,}",
            f"{part['noop_events_per_s']:,}",
            f"{part['ratio']:.2f}",
            f"{part['bar']:.2f}",
        )
    console.print(table)
    for section in ("poison", "latency", "footprint", "profiles"):
        if section in result:
            console.print(section, result[section])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument(
        "--rate", type=float, default=500.0, help="events/s of the latency part where rates are not measured"
    )
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = run(args)
    if args.json:
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    else:
        show(result)


if __name__ == "__main__":
    main()
