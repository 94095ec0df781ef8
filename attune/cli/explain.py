"""`attune explain USER ITEM`: why an item is in a person's list, or why not."""

from typing import TYPE_CHECKING, Annotated

import typer

from attune.cli.options import Bootstrap, Json, Redis, console, print_json
from attune.cli.person import profile_of
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from processors.explain_item import ItemExplanation
    from schemas.decisions import Recommendation, RecommendedItem


def explain(
    user: Annotated[str, typer.Argument(help="Id of a person.")],
    item: Annotated[str, typer.Argument(help="Id of an item.")],
    bootstrap: Bootstrap = None,
    redis: Redis = None,
    json: Json = False,
) -> None:
    """Tell what speaks for and against an item for a person now, and where it is not in their list, why not.

    Computed from the profile in its changelog and a replica read from Kafka; the list that a site shows is read from
    Redis, where it answers.

    [bold]Examples[/bold]

      attune explain u1 j7

      attune explain u1 j7 --json
    """
    settings = read_settings(bootstrap=bootstrap, redis=redis)
    import msgspec

    from processors.explain_item import explain_item
    from processors.replica import Replica
    from streams.clock import wall_ms
    from streams.experiment_file import Experiments
    from streams.replica_reader import ReplicaReader

    profile = profile_of(settings, user)
    replica = Replica(settings.pack)
    reader = ReplicaReader(settings, replica)
    reader.start()
    try:
        reader.catch_up()
    finally:
        reader.stop()
    now_ms = profile.last_event_ms if settings.clock == "log" else max(wall_ms(), profile.last_event_ms)
    side = Experiments(settings).arms.side(user, now_ms)
    found = explain_item(profile, item, now_ms, replica.under(side.pack))
    published = _published(settings, user)
    if json:
        placed = _placed(item, published)
        print_json({"user_id": user, **msgspec.to_builtins(found), "arm": side.arm, "published": placed})
    else:
        _print(user, found, published)


def _published(settings: Settings, user: str) -> "Recommendation | None":
    """The list a site would show; None where there is none, or Redis does not answer."""
    import msgspec
    from redis.exceptions import RedisError

    from schemas.decisions import Recommendation
    from streams.redis_view import RedisView

    try:
        value = RedisView(settings).recommendation(user)
    except RedisError as error:
        typer.echo(f"without the published list: {error}", err=True)
        return None
    return None if value is None else msgspec.json.decode(value, type=Recommendation)


def _placed(item_id: str, published: "Recommendation | None") -> "RecommendedItem | None":
    return next((placed for placed in published.items if placed.item_id == item_id), None) if published else None


def _print(user: str, found: "ItemExplanation", published: "Recommendation | None") -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    named = f"{found.item_id} “{found.title}”" if found.title else found.item_id
    where = f"place {found.rank} of {user}'s list" if found.rank is not None else f"not in {user}'s list"
    out.print(Text(f"{named}: {where}", style="bold"))
    for objection in found.why_not:
        out.print(Text(f"  why not: {objection.words}"))
    for reason in found.reasons if found.rank is not None else ():
        out.print(Text(f"  {reason}"))
    if found.contributions:
        table = Table(box=None, show_header=False)
        table.add_column(justify="right")
        table.add_column()
        for told in found.contributions:
            table.add_row(f"{told.adds:+.3f}", Text(told.words))
        out.print(table)
        out.print(f"score {found.score:.3f}, {found.candidates} candidates")
    placed = _placed(found.item_id, published)
    if placed is not None:
        chance = f", drawn by chance with probability {placed.propensity:.1%}" if placed.propensity < 1.0 else ""
        out.print(Text(f"in the list that is published: place {placed.rank}{chance}"))
    elif published is not None:
        out.print(Text("not in the list that is published"))
