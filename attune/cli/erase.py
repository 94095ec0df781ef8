"""`attune erase USER`: forget a person."""

import uuid
from typing import Annotated, Final

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, print_json
from streams.settings import Settings, read_settings

WAIT_S: Final = 60.0


def erase(
    user: Annotated[str, typer.Argument(help="Id of a person.")],
    wait: Annotated[
        bool, typer.Option("--wait", help=f"Wait for the receipt `accepted`, up to {WAIT_S:.0f} s.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Ask that a person be forgotten: profile, lists, everything up to now.

    Two receipts follow on `erasure-receipts`: `accepted` when the live stores have forgotten, `complete` when the logs
    have too.

    [bold]Example[/bold]   attune erase u1 --wait
    """
    settings = read_settings(bootstrap=bootstrap)
    import msgspec

    from processors.erasure import user_hash
    from schemas.behaviour import Erasure
    from schemas.fields import Id
    from streams.clock import wall_ms
    from streams.feeding import Feeder
    from streams.replay_file import Row

    try:
        msgspec.convert(user, Id)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(f"USER: {error}") from None
    if not yes and not json:
        typer.confirm(f"Forget {user} for good?", abort=True, err=True)
    event = Erasure(event_id=f"erase-{uuid.uuid4().hex}", user_id=user, ts_ms=wall_ms())
    feeder = Feeder(settings)
    feeder.send(Row("erasures", user, msgspec.Raw(msgspec.json.encode(event))))
    feeder.finish()
    hashed = user_hash(settings.erasure_key, user)
    accepted = _accepted(settings, hashed, event.ts_ms) if wait else None
    if json:
        print_json(
            {
                "event_id": event.event_id,
                "user_id": user,
                "user_hash": hashed,
                "ts_ms": event.ts_ms,
                "accepted": accepted,
            }
        )
    else:
        typer.echo(f"asked to forget {user} (event {event.event_id})")
        typer.echo(
            "accepted: the live stores have forgotten"
            if accepted
            else f"receipts: topic erasure-receipts, key {hashed}"
        )


def _accepted(settings: Settings, hashed: str, since_ms: int) -> bool:
    """Wait for the receipt of this request."""
    import threading

    import msgspec

    from schemas.decisions import ErasureReceipt
    from schemas.partitioning import partition_of
    from streams.admin import partitions_found
    from streams.clock import boottime_s
    from streams.scan import scan

    partition = partition_of(hashed.encode(), partitions_found(settings)["erasure-receipts"])
    until_s, pause = boottime_s() + WAIT_S, threading.Event()
    while boottime_s() < until_s:
        for message in scan(settings, "erasure-receipts", [partition]):
            if message.key() == hashed.encode():
                receipt = msgspec.json.decode(message.value() or b"", type=ErasureReceipt)
                if receipt.stage == "accepted" and receipt.ts_ms >= since_ms:
                    return True
        pause.wait(0.3)
    raise CommandError(f"no receipt within {WAIT_S:.0f} s: does a worker run? (topic erasure-receipts, key {hashed})")
