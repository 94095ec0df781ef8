"""What a step wants done about mail: send times and digests published, what came of mails taught."""

import msgspec

from processors.effects import Effect, Mailing, Planned, Stale, TeachLook, TeachMail
from streams.counts import Counts
from streams.meter import Meter
from streams.writer import Writer

_encode = msgspec.json.Encoder().encode


def carry_out_mail(key: bytes, effect: Effect, writer: Writer, counts: Counts, meter: Meter) -> None:
    """Carry out one effect, for the person of this key."""
    match effect:
        case Planned(decision=decision):
            writer.emit("send-times", key, _encode(decision))
            counts.send_times += 1
            meter.count("attune_decisions_total", "send-times", "email", decision.suppressed or "planned")
        case Mailing(digest=digest):
            writer.emit("digests", key, _encode(digest))
            counts.digests += 1
            meter.count("attune_decisions_total", "digests", "email", digest.campaign)
        case TeachMail(label=label):
            writer.teach_mail(label)
        case TeachLook(look=look):
            writer.teach_look(look)
        case Stale():
            counts.stale_dues += 1
        case _:
            raise AssertionError(f"unknown effect {effect!r}")
