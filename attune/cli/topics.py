"""`attune topics`: make them, look at them, hold them against the table."""

from typing import Annotated

import typer

from attune.cli.failure import FAILED
from attune.cli.options import Bootstrap, Json, print_json
from streams.settings import read_settings
from streams.topics import TOPICS
from streams.topics import describe as describe_topics

topics = typer.Typer(help="Topics: create, describe, check, asyncapi, acls.", no_args_is_help=True)


@topics.command()
def create(bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Create what is missing; existing topics are left as they are and differences are named.

    Partitions are never changed: offsets inside profiles and the place of every key depend on them.

    [bold]Example[/bold]   attune topics create --bootstrap kafka:9092
    """
    settings = read_settings(bootstrap=bootstrap)
    from streams.admin import create_topics

    created, differing = create_topics(settings)
    if json:
        print_json({"created": created, "differences": [str(difference) for difference in differing]})
    else:
        typer.echo(f"created: {', '.join(created)}" if created else "nothing to create")
        for difference in differing:
            typer.echo(f"differs: {difference}", err=True)
    if differing:
        raise typer.Exit(FAILED)


@topics.command()
def describe(
    partitions: Annotated[int | None, typer.Option(min=1, max=1_000, help="Partitions of keyed topics.")] = None,
) -> None:
    """Print the topology as text; needs no Kafka."""
    typer.echo(describe_topics(read_settings(partitions=partitions).partitions))


@topics.command()
def check(bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Compare Kafka's topics with the table; exit code 1 where they differ."""
    settings = read_settings(bootstrap=bootstrap)
    from streams.admin import differences

    differing = differences(settings)
    if json:
        print_json([{"topic": d.topic, "what": d.what, "wanted": d.wanted, "found": d.found} for d in differing])
    elif differing:
        for difference in differing:
            typer.echo(f"differs: {difference}", err=True)
    else:
        typer.echo(f"all {len(TOPICS)} topics are as they must be")
    if differing:
        raise typer.Exit(FAILED)


@topics.command()
def asyncapi() -> None:
    """Print the contract as AsyncAPI 3.0; needs no Kafka."""
    from streams.asyncapi import text

    typer.echo(text(), nl=False)


@topics.command()
def acls(
    prefix: Annotated[str, typer.Option(help="Principals are User:<prefix><role>.")] = "attune-", json: Json = False
) -> None:
    """Print who may do what on Kafka, as a script around kafka-acls.sh; needs no Kafka.

    [bold]Example[/bold]   attune topics acls > acls.sh && BOOTSTRAP=kafka:9093 ADMIN=admin.properties sh acls.sh
    """
    from msgspec import to_builtins

    from streams.acls import acls as table
    from streams.acls import script

    if json:
        print_json([to_builtins(acl) for acl in table(prefix)])
    else:
        typer.echo(script(prefix), nl=False)
