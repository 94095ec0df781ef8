"""`attune dead-letters`: what could not be used, why, and how to send it back."""

import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, console, print_json
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from streams.letter_box import Letter

dead_letters = typer.Typer(help="Dead letters: list, show, replay.", no_args_is_help=True)

Topic = Annotated[str | None, typer.Option("--topic", help="Only records of this topic.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only where the reason contains this.")]
Id = Annotated[str, typer.Argument(help="TOPIC-PARTITION-OFFSET of the original record.")]


@dead_letters.command("list")
def list_letters(
    topic: Topic = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """List dead letters, the newest first, and count them by topic and reason.

    [bold]Examples[/bold]

      attune dead-letters list --topic views

      attune dead-letters list --reason item_id --json
    """
    from streams.letter_box import letters

    settings = read_settings(bootstrap=bootstrap)
    found = sorted(
        letters(settings, topic, reason), key=lambda letter: (letter.first_failure_ms, letter.place), reverse=True
    )
    shown = found[:limit]
    if json:
        print_json([_plain(letter) for letter in shown])
        return
    from rich.table import Table
    from rich.text import Text

    if not found:
        typer.echo("no dead letters")
        return
    out = console()
    counted = Counter((letter.topic, letter.stage, letter.message) for letter in found)
    out.print(f"{len(found):,} dead letters" + (f", the newest {limit}:" if len(found) > limit else ""))
    table = Table("id", "when", "stage", "reason", "attempt", "key", box=None)
    for letter in shown:
        table.add_row(
            Text(letter.id),
            _time(letter.first_failure_ms),
            letter.stage,
            Text(letter.message[:80]),
            str(letter.attempt),
            Text((letter.key or b"").decode(errors="replace")[:40]),
        )
    out.print(table)
    if len(counted) < len(found):
        summary = Table("count", "topic", "stage", "reason", box=None)
        for (name, stage, message), count in counted.most_common(20):
            summary.add_row(f"{count:,}", name, stage, Text(message[:100]))
        out.print(summary)


@dead_letters.command()
def show(letter_id: Id, bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Show one dead letter: why, its headers, its original bytes.

    [bold]Example[/bold]   attune dead-letters show views-3-1207
    """
    letter = _find(read_settings(bootstrap=bootstrap), [letter_id])[0]
    if json:
        print_json({**_plain(letter), "value": letter.value_text(), "headers": _headers(letter)})
        return
    typer.echo(
        f"{letter.id}: {letter.stage} failed at attempt {letter.attempt}, first {_time(letter.first_failure_ms)}"
    )
    typer.echo(f"why:     {letter.kind}: {letter.message}")
    typer.echo(f"key:     {(letter.key or b'').decode(errors='backslashreplace')}")
    for name, value in _headers(letter).items():
        typer.echo(f"header:  {name}: {value}")
    typer.echo(f"value ({len(letter.value or b'')} bytes):")
    typer.echo(letter.value_text())


@dead_letters.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of letters.", show_default=False)] = None,
    all_letters: Annotated[bool, typer.Option("--all", help="Every letter that --topic and --reason leave.")] = False,
    topic: Topic = None,
    reason: Reason = None,
    patch: Annotated[
        list[str] | None, typer.Option(help="FIELD=JSON to set in each value; FIELD may be a.b; repeatable.")
    ] = None,
    edit_file: Annotated[Path | None, typer.Option(help="A file that is the mended value (of one letter).")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Send dead letters back to their topics, as they were or mended.

    Original key and headers; the count of attempts goes with them. The letters stay in `dead-letters` until its
    retention ends, so a letter can be replayed twice: an event whose id was applied is not applied again.

    [bold]Examples[/bold]

      attune dead-letters replay views-3-1207 --patch 'item_id="j1"'

      attune dead-letters replay --all --topic views --yes
    """
    if bool(ids) == all_letters:
        raise typer.BadParameter("name letters, or say --all")
    if edit_file is not None and (patch or all_letters or len(ids or ()) != 1):
        raise typer.BadParameter("--edit-file mends exactly one letter, without --patch")
    from streams.letter_box import letters, patched, send_back

    changes = [_change(text) for text in patch or ()]
    edited = edit_file.read_bytes() if edit_file is not None else None
    settings = read_settings(bootstrap=bootstrap)
    found = list(letters(settings, topic, reason)) if all_letters else _find(settings, ids or [])
    if not found:
        raise CommandError("no dead letters to replay")
    mended = []
    for letter in found:
        try:
            value = edited if edited is not None else patched(letter.value, changes) if changes else letter.value
        except ValueError as error:
            raise CommandError(f"{letter.id}: {error}") from None
        mended.append((letter, value))
    if not yes:
        named = ", ".join(letter.id for letter in islice(found, 5)) + (", …" if len(found) > 5 else "")
        typer.confirm(f"Send {len(found)} back ({named})?", abort=True, err=True)
    sent = send_back(settings, mended)
    if json:
        print_json({"sent": sent, "ids": [letter.id for letter in found]})
    else:
        typer.echo(f"sent back: {sent}")


def _find(settings: Settings, ids: list[str]) -> "list[Letter]":
    from streams.letter_box import letters

    found = {letter.id: letter for letter in letters(settings) if letter.id in set(ids)}  # the newest of each
    if missing := [name for name in ids if name not in found]:
        raise CommandError(f"no dead letter {', '.join(missing)} (see: attune dead-letters list)")
    return [found[name] for name in ids]


def _change(text: str) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    try:
        return field, msgspec.json.decode(value.encode())
    except msgspec.DecodeError:
        field = field if equals else ""
    if field:
        raise typer.BadParameter(f"--patch {text}: {value} is no JSON (a text needs quotes: {field}='\"…\"')")
    raise typer.BadParameter(f"--patch {text}: is not FIELD=JSON")


def _plain(letter: "Letter") -> dict[str, Any]:
    return {
        "id": letter.id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "stage": letter.stage,
        "class": letter.kind,
        "message": letter.message,
        "first_failure_ms": letter.first_failure_ms,
        "attempt": letter.attempt,
        "key": (letter.key or b"").decode(errors="backslashreplace"),
        "bytes": len(letter.value or b""),
    }


def _headers(letter: "Letter") -> dict[str, str]:
    return {name: (value or b"").decode(errors="backslashreplace") for name, value in letter.headers}


def _time(ts_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ts_ms / 1000)) + " UTC"
