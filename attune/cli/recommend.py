"""`attune recommend USER`: the list that a site would show now."""

import time
from typing import Annotated

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, Redis, console
from streams.settings import Settings, read_settings


def recommend(
    user: Annotated[str, typer.Argument(help="Id of a person.")],
    titles: Annotated[bool, typer.Option(help="Look titles up in the topic items.")] = True,
    bootstrap: Bootstrap = None,
    redis: Redis = None,
    json: Json = False,
) -> None:
    """Show what is recommended to a person now, with reasons; read from Redis, as a site reads it.

    [bold]Examples[/bold]

      attune recommend u1

      attune recommend u1 --json
    """
    settings = read_settings(bootstrap=bootstrap, redis=redis)
    import msgspec
    from rich.table import Table
    from rich.text import Text

    from schemas.decisions import Recommendation
    from streams.redis_view import RedisView

    value = RedisView(settings).recommendation(user)
    if value is None:
        raise CommandError(f"nothing is recommended to {user}: no event of theirs was seen, or they were forgotten")
    if json:
        typer.echo(value.decode())
        return
    found = msgspec.json.decode(value, type=Recommendation)
    named = _titles(settings, [item.item_id for item in found.items]) if titles else {}
    age_s = max(time.time() - found.ts_ms / 1000, 0.0)
    trigger = found.trigger
    out = console()
    out.print(
        Text(f"{user}: {len(found.items)} items, {_age(age_s)} old, because of {trigger.topic} {trigger.event_id}")
    )
    table = Table("#", "item", "title", "score", "why", box=None)
    for item in found.items:
        why = "; ".join(item.reasons)
        table.add_row(
            str(item.rank), Text(item.item_id), Text(named.get(item.item_id, "")), f"{item.score:.2f}", Text(why)
        )
    out.print(table)


def _titles(settings: Settings, item_ids: list[str]) -> dict[str, str]:
    from streams.admin import BrokerError
    from streams.titles import titles

    try:
        return titles(settings, item_ids)
    except BrokerError as error:
        typer.echo(f"without titles: {error}", err=True)
        return {}


def _age(seconds: float) -> str:
    """A length of time in its largest unit.

    >>> _age(7_300)
    '2 h'
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
