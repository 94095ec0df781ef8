"""`attune search QUERY`: what a search finds, and what it understood."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from attune.cli.options import Bootstrap, Json, console, print_json
from attune.cli.person import profile_of
from streams.settings import read_settings

if TYPE_CHECKING:
    from serving.search.answer import SearchAnswer
    from serving.storefront import Storefront


def search(
    query: Annotated[str, typer.Argument(help="As people type it; empty finds everything.")],
    user: Annotated[str | None, typer.Option(help="Id of a person, in whose order the answer is.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Items shown.")] = 10,
    literal: Annotated[bool, typer.Option("--literal", help="The query is words and nothing else.")] = False,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Search the catalogue as the site does, and say what of the query was understood, mended and relaxed.

    Reads the topic items into an index of its own, which takes some seconds for a large catalogue; a site asks the API.

    [bold]Examples[/bold]

      attune search "remote python jobs in austin over 90k"

      attune search "red shoes under 50" --user u1 --json
    """
    settings = read_settings(bootstrap=bootstrap)
    import msgspec

    from serving.search.engine import SearchEngine
    from serving.storefront import Storefront
    from streams.clock import wall_ms
    from streams.replica_reader import ReplicaReader

    profile = None if user is None else profile_of(settings, user)
    storefront = Storefront(settings.pack)
    engine = SearchEngine(storefront, settings.pack.name)
    storefront.also(engine)
    reader = ReplicaReader(settings, storefront)
    reader.start()
    try:
        reader.catch_up()
    finally:
        reader.stop()
    engine.refresh()
    found = engine.search(query, profile=profile, now_ms=wall_ms(), limit=limit, literal=literal)
    if json:
        told: dict[str, Any] = msgspec.to_builtins(found)
        told["items"] = [
            {**msgspec.to_builtins(place), "item": msgspec.to_builtins(storefront.card(place.item_id))}
            for place in found.items
        ]
        print_json(told)
    else:
        _print(found, storefront)


def _print(found: "SearchAnswer", storefront: "Storefront") -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(Text(f"{found.total:,} found" + (", in their own order" if found.is_personal else "")))
    for part in found.understood:
        out.print(Text(f"  understood  {part.says} (“{part.typed}”)"))
    for word in found.mended:
        out.print(Text(f"  mended      {word.typed}: {word.meant}"))
    if found.relaxed:
        out.print(Text(f"  relaxed     nothing has it all: without {', '.join(found.relaxed)}"))
    table = Table("#", "item", "title", "brand", "city", "score", box=None)
    for place in found.items:
        card = storefront.card(place.item_id)
        city = card.location.city if card is not None and card.location is not None else None
        named = ("", "", "") if card is None else (card.title, card.brand or "", city or "")
        table.add_row(str(place.rank), *map(Text, (place.item_id, *named, f"{place.score:.2f}")))
    if found.items:
        out.print(table)
