"""`attune mailer`: what is due becomes a mail, once; `status`, `ambiguous` and `settle` look after what is unclear."""

import signal
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, console, print_json
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from serving.mailer.config import MailerConfig
    from serving.mailer.journal import Journal

mailer = typer.Typer(help="Send what is due as mails, and serve the pages that they lead to.")


@mailer.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    outbox: Annotated[str | None, typer.Option(help="Write .eml files into this directory, send nothing.")] = None,
    smtp: Annotated[str | None, typer.Option(help="Mail server, smtps://user:password@host (ATTUNE_SMTP).")] = None,
    host: Annotated[str, typer.Option(help="Address that the pages are served on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port of the pages, 0 for a free one (ATTUNE_MAILER_PORT).", min=0, max=65535)
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left to send.")] = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Send every digest once, and serve clicks, the preference page and unsubscribing. SIGTERM or Ctrl-C ends it.

    [bold]Examples[/bold]

      attune mailer --outbox mails/

      ATTUNE_SMTP=smtps://jobs:secret@smtp.example.org attune mailer --port 8085

      attune mailer ambiguous
    """
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(bootstrap=bootstrap, mailer_port=port, smtp=smtp)
    import structlog

    from serving.mailer.mailer import Mailer

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr), cache_logger_on_first_use=False)
    sender = Mailer(mailer_config(settings, outbox), host, settings.mailer_port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sender.stop())
    try:
        sender.start()
        typer.echo(f"pages on http://{host}:{sender.web.port}/  mails to {outbox or 'the mail server'}")
        sender.run(once)
    finally:
        sender.close()


@mailer.command()
def status(json: Json = False) -> None:
    """How many mails went out, wait, were refused or dropped, or are ambiguous."""
    with _journal() as journal:
        counts = journal.counts()
    if json:
        print_json(counts)
        return
    for state in ("sent", "queued", "dropped", "refused", "ambiguous", "intent"):
        typer.echo(f"{state:<10}{counts.get(state, 0):>10,}")


@mailer.command()
def ambiguous(json: Json = False) -> None:
    """Mails of which nobody knows whether they went out; they are never repeated unless you say so.

    Look for the Message-ID in the mail server's log, then:

      attune mailer settle DIGEST_ID --as sent

      attune mailer settle DIGEST_ID --as unsent
    """
    from datetime import UTC, datetime

    with _journal() as journal:
        found = journal.ambiguous()
    if json:
        print_json(
            [
                {"digest_id": e.digest_id, "user_id": e.user_id, "campaign": e.campaign, "at_ms": e.at_ms, "why": e.why}
                for e in found
            ]
        )
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("digest", "person", "campaign", "when (UTC)", "why", box=None)
    for entry in found:
        when = f"{datetime.fromtimestamp(entry.at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
        table.add_row(*map(Text, (entry.digest_id, entry.user_id, entry.campaign, when, entry.why)))
    console().print(table if found else "none")


@mailer.command()
def settle(
    digest_id: Annotated[str, typer.Argument(help="As `attune mailer ambiguous` names it.")],
    outcome: Annotated[str, typer.Option("--as", help="sent: it went out. unsent: it did not, send it again.")],
) -> None:
    """Say what became of an ambiguous mail. A mailer that runs takes it up; nothing else is touched."""
    import msgspec

    from serving.mailer.journal import SETTLED

    states: dict[str, Literal["sent", "queued"]] = {"sent": "sent", "unsent": "queued"}
    if outcome not in states:
        raise typer.BadParameter(f"{outcome!r} is neither 'sent' nor 'unsent'", param_hint="--as")
    with _journal() as journal:
        entry = journal.find(digest_id)
        if entry is None or entry.state != "ambiguous":
            raise CommandError(f"{digest_id} is not ambiguous" + (f" but {entry.state}" if entry else ""))
        journal.write(msgspec.structs.replace(entry, state=states[outcome], why=SETTLED, due_ms=0))
    typer.echo(f"{digest_id}: {outcome}")


def mailer_config(settings: Settings, outbox: str | None = None) -> "MailerConfig":
    """The mailer's part of the settings."""
    from serving.mailer.config import MailerConfig
    from serving.mailer.links import kept_key

    return MailerConfig(
        bootstrap=settings.bootstrap,
        kafka=settings.kafka,
        link_key=settings.link_key or kept_key(settings.state_dir),
        state_dir=settings.state_dir,
        smtp=settings.smtp,
        outbox=outbox,
        sender=settings.mail_from,
        public_url=settings.mailer_url,
        domain=settings.domain,
        images=settings.mail_images,
        mails_per_s=settings.mails_per_s,
        clock=settings.clock,
    )


def _journal() -> "Journal":
    from serving.mailer.journal import Journal

    return Journal(read_settings().state_dir, owner=False)
