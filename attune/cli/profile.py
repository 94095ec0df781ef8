"""`attune profile USER…`: everything kept about each person."""

import time
from typing import Annotated, Any

import typer

from attune.cli.failure import FAILED, CommandError
from attune.cli.options import Bootstrap, Json, console, print_json, words_of
from streams.settings import read_settings


def profile(
    users: Annotated[list[str] | None, typer.Argument(help="Ids of people.", show_default=False)] = None,
    users_file: Annotated[str | None, typer.Option(help="A file of ids, one a line; `-` for stdin.")] = None,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Show everything kept about people; also the answer to a subject-access request.

    Read from the profiles' changelog, in one pass however many are asked for. Exit code 1 where nothing is kept about
    someone.

    [bold]Examples[/bold]

      attune profile u1

      attune profile --users-file people.txt --json > profiles.jsonl
    """
    settings = read_settings(bootstrap=bootstrap)
    from streams.portrait import portrait
    from streams.profile_reader import read_profiles

    asked = words_of(users or (), users_file)
    if not asked:
        raise typer.BadParameter("name a person, or give --users-file")
    found = read_profiles(settings, asked)
    for user_id, kept in found.items():
        shown = portrait(user_id, kept, settings.pack)
        if json:
            print_json(shown)
        else:
            _print(shown)
    unknown = [user_id for user_id in asked if user_id not in found]
    if unknown and len(unknown) == len(asked) == 1:
        raise CommandError(f"nothing is kept about {unknown[0]}")
    if unknown:
        some = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        typer.echo(f"nothing is kept about {len(unknown)} of {len(asked)} people: {some}", err=True)
        raise typer.Exit(FAILED)


def _print(shown: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(Text(shown["user_id"], style="bold"))
    facts = Table.grid(padding=(0, 2))
    facts.add_row(
        "events", ", ".join(f"{topic} {count}" for topic, count in shown["totals"].items() if count) or "none"
    )
    facts.add_row("last event", _time(shown["last_event_ms"]))
    for action, levels in shown["counters"].items():
        facts.add_row(f"{action}s, decayed", ", ".join(f"{value:.2f} ({name})" for name, value in levels.items()))
    for kind, held in shown["affinities"].items():
        facts.add_row(kind, Text(", ".join(f"{key} {share:.0%}" for key, share in list(held.items())[:6])))
    for name, stated in shown["stated"].items():
        facts.add_row(name, Text(f"{stated['value']} (said in {stated['source']}, {_time(stated['ts_ms'])})"))
    if shown["dismissed"]:
        facts.add_row("dismissed", Text(", ".join(shown["dismissed"])))
    if shown["erased_ms"] is not None:
        facts.add_row("erased", f"everything up to {_time(shown['erased_ms'])}")
    facts.add_row("offsets", ", ".join(f"{topic} {offset}" for topic, offset in shown["applied_offsets"].items()))
    out.print(facts)
    if shown["last_actions"]:
        actions = Table("when", "did", "item", "dwell", box=None)
        for action in reversed(shown["last_actions"]):
            dwell = f"{action['dwell_ms'] / 1000:.0f} s" if action["dwell_ms"] is not None else ""
            actions.add_row(_time(action["ts_ms"]), action["action"], Text(action["item_id"]), dwell)
        out.print(actions)


def _time(ts_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ts_ms / 1000)) + " UTC" if ts_ms else "never"
