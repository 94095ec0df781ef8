"""`attune sending`: how mail stands, and why people are not written to."""

from typing import TYPE_CHECKING, Any

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, console, print_json
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.sending_status import SendingStatus

sending = typer.Typer(help="When mail goes, and whether: status.", no_args_is_help=True)


@sending.callback()
def group() -> None:
    """A group, though it has one command today."""


@sending.command()
def status(bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Volume and its price, who is not written to and why, and how well the uplift of a mail is predicted.

    [bold]Examples[/bold]

      attune sending status

      attune sending status --json
    """
    settings = read_settings(bootstrap=bootstrap)
    from streams.admin import BrokerError
    from streams.sending_status import sending_status

    try:
        found = sending_status(settings)
    except BrokerError as error:
        raise CommandError(str(error)) from None
    if json:
        print_json(found)
    else:
        _show(found)


def _show(found: "SendingStatus") -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    volume = "nobody was weighed yet" if found.mails_a_week is None else f"{found.mails_a_week:.2f}"
    out.print(
        f"{found.planned:,} people planned; mails a week: {volume}, budget {found.budget_a_week:g}; "
        f"price {found.price:.4f} apply-starts; calibration {found.calibration:.2f}"
    )
    due = ", ".join(f"{count:,} {campaign}" for campaign, count in found.digests.items())
    out.print(Text(f"due so far: {due or 'none'}"))
    table = Table("not written to", "people", box=None)
    for reason, count in found.reasons.items():
        table.add_row(Text(reason), f"{count:,}")
    out.print(table)
    uplift = Table("uplift from", "mails", "predicted", "after mails", "withheld", "without", "observed", box=None)
    for row in found.uplift:
        uplift.add_row(
            f"{row.uplift_from:.4f}", f"{row.mails:.0f}", _share(row.predicted), _share(row.started),
            f"{row.withheld:.0f}", _share(row.started_without), _share(row.observed),
        )  # fmt: skip
    out.print(uplift)
    hazards = Table("mails of late from", "leave after a mail", box=None)
    for entry in found.hazards:
        hazards.add_row(f"{entry.fatigue_from:g}", _share(entry.hazard))
    out.print(hazards)


def _share(value: Any) -> str:
    return "–" if value is None else f"{100 * value:.2f}%"
