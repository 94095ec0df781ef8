"""`attune preview USER`: the mail that a person would get now."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attune.cli.failure import CommandError
from attune.cli.mailer import mailer_config
from attune.cli.options import Bootstrap, Redis
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from schemas.decisions import Digest
    from serving.mailer.known import Known

ITEMS = 6


def preview(
    user: Annotated[str, typer.Argument(help="Id of a person.")],
    html: Annotated[Path | None, typer.Option(help="Write the HTML into this file.")] = None,
    eml: Annotated[Path | None, typer.Option(help="Write the whole mail into this file.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the HTML in a browser.")] = False,
    bootstrap: Bootstrap = None,
    redis: Redis = None,
) -> None:
    """Show the mail a person would get now: the text here, the HTML where you say. Nothing is sent.

    Made of the newest list of theirs, through the mailer's last check. Its links are signed and work.

    [bold]Examples[/bold]

      attune preview u1

      attune preview u1 --html mail.html --open
    """
    settings = read_settings(bootstrap=bootstrap, redis=redis)
    from serving.mailer.last_check import Dropped, Fit, last_check
    from serving.mailer.letter import write
    from serving.mailer.links import Links
    from serving.mailer.message import compose

    digest = _digest(settings, user)
    known = _known(settings, user, {item.item_id for item in digest.items})
    now_ms = digest.due_ms
    config = mailer_config(settings)
    fit = last_check(digest, known, now_ms)
    if isinstance(fit, Dropped) and fit.reason != "no_address":
        raise CommandError(f"{user} would get no mail now: {fit.reason}")
    if isinstance(fit, Dropped):
        from email.headerregistry import Address

        listed = [(item, known.item(item.item_id)) for item in digest.items]
        there = tuple((item, found) for item, found in listed if found is not None)
        fit = Fit(digest, known.reader(user), Address(addr_spec="nobody@localhost"), there)
        typer.echo(f"{user} has no address (users: attributes.email), so no mail would go", err=True)
    links = Links(config.link_key, config.public_url or f"http://127.0.0.1:{settings.mailer_port or 8085}")
    letter = write(fit, links, config.sender_name, now_ms, config.images)
    sys.stdout.write(letter.text)
    if show and html is None:
        html = Path(settings.state_dir) / "preview.html"
        html.parent.mkdir(parents=True, exist_ok=True)
    if html is not None:
        html.write_text(letter.html)
    if eml is not None:
        eml.write_bytes(compose(letter, fit, config.address, now_ms).as_bytes())
    if show and html is not None:
        typer.launch(str(html))


def _digest(settings: Settings, user: str) -> "Digest":
    import msgspec

    from schemas.decisions import Digest, Recommendation
    from streams.redis_view import RedisView

    value = RedisView(settings).recommendation(user)
    if value is None:
        raise CommandError(f"nothing is recommended to {user}: no event of theirs was seen, or they were forgotten")
    found = msgspec.json.decode(value, type=Recommendation)
    now_ms = int(time.time() * 1000) if settings.clock == "wall" else found.ts_ms
    return Digest(
        digest_id=f"preview-{found.rec_id}"[:128],
        user_id=user,
        campaign="digest",
        due_ms=now_ms,
        subject=f"{len(found.items[:ITEMS])} picked for you",
        items=found.items[:ITEMS],
        arm=found.arm,
    )


def _known(settings: Settings, user: str, item_ids: set[str]) -> "Known":
    """What the mailer would know of this person and these items, read once."""
    from schemas.decode import Invalid, decode
    from schemas.partitioning import partition_of
    from serving.mailer.known import TOPICS, Known
    from streams.scan import scan

    known = Known()
    for topic in TOPICS:
        keys = {word.encode() for word in (item_ids if topic == "items" else {user})}
        partitions = {partition_of(key, settings.partitions) for key in keys}
        for message in scan(settings, topic, partitions):
            if message.key() in keys:
                record = decode(topic, message.key(), message.value())
                if not isinstance(record, Invalid):
                    known.apply(record, topic, message.timestamp()[1])
    return known
