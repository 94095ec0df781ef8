"""How mail stands: what the learner's row says, and who is planned, written to, or not, and why."""

from collections import Counter

import msgspec
import numpy as np
from msgspec import Struct

from processors.leave_hazard import EDGES
from processors.mail_worth import KEY, LEAST_UPLIFT, WorthRow, WorthView
from schemas.decisions import Digest, SendTime
from streams.admin import BrokerError, partitions_found
from streams.scan import scan
from streams.settings import Settings


class Bin(Struct, frozen=True):
    """Mails of one bin of predicted uplift, and those withheld at random; all decayed."""

    uplift_from: float
    mails: float
    predicted: float | None
    """Mean apply-starts that a mail was expected to bring."""
    started: float | None
    """Share of mails that an apply-start followed."""
    withheld: float
    started_without: float | None
    observed: float | None
    """`started` less `started_without`: what sending did."""


class HazardBin(Struct, frozen=True):
    """How many leave after a mail, by how much mail they got of late."""

    fatigue_from: float
    hazard: float


class SendingStatus(Struct, frozen=True):
    """What `attune sending status --json` prints."""

    planned: int
    """People whose next mail is planned."""
    suppressed: dict[str, int]
    """People to whom none goes, as of their latest decision, by `suppressed`."""
    reasons: dict[str, int]
    """The same by reason, the most frequent first, at most twenty."""
    digests: dict[str, int]
    """Mails that became due, by campaign, as far back as the topic goes."""
    mails_a_week: float | None
    """To the average person, over the last days."""
    budget_a_week: float
    price: float
    """λ, in apply-starts."""
    starts_per_click: float
    calibration: float
    hazards: list[HazardBin]
    uplift: list[Bin]


def sending_status(settings: Settings) -> SendingStatus:
    """Read it from the topics. Raises BrokerError where one cannot be read."""
    found = partitions_found(settings)
    for topic in ("send-times", "digests", "model"):
        if topic not in found:
            raise BrokerError(f"{settings.bootstrap} has no topic {topic}: attune topics create")
    latest: dict[bytes, SendTime] = {}
    decode = msgspec.json.Decoder(SendTime).decode
    for message in scan(settings, "send-times", range(found["send-times"])):
        key, value = message.key() or b"", message.value()
        if value is None:
            latest.pop(key, None)
        else:
            latest[key] = decode(value)
    due: Counter[str] = Counter()
    decode_digest = msgspec.json.Decoder(Digest).decode
    for message in scan(settings, "digests", range(found["digests"])):
        if (value := message.value()) is not None:
            due[decode_digest(value).campaign] += 1
    view = WorthView()
    for message in scan(settings, "model", [0]):
        if message.key() == KEY and (value := message.value()) is not None:
            view.put(value)
    refused = [decision for decision in latest.values() if decision.suppressed is not None]
    row = view.row
    return SendingStatus(
        planned=len(latest) - len(refused),
        suppressed=dict(Counter(str(decision.suppressed) for decision in refused).most_common()),
        reasons=dict(Counter(decision.reason for decision in refused).most_common(20)),
        digests=dict(due),
        mails_a_week=7.0 * row.mails / row.person_days if row.person_days else None,
        budget_a_week=settings.pack.mail.budget_per_week,
        price=row.price,
        starts_per_click=view.starts_per_click,
        calibration=view.calibration,
        hazards=[HazardBin(low, float(h)) for low, h in zip((0.0, *EDGES), view.hazards, strict=True)],
        uplift=bins(row),
    )


def bins(row: WorthRow) -> list[Bin]:
    """Predicted and observed uplift, by bin, those without mails left out."""
    sent = np.frombuffer(row.sent, "<f8").reshape(3, -1)
    withheld = np.frombuffer(row.withheld, "<f8").reshape(3, -1)
    found = []
    for place in range(sent.shape[1]):
        (mails, started, predicted), (others, without, _) = sent[:, place].tolist(), withheld[:, place].tolist()
        if mails < 0.5 and others < 0.5:
            continue
        rate = started / mails if mails else None
        base = without / others if others else None
        observed = rate - base if rate is not None and base is not None else None
        mean = predicted / mails if mails else None
        found.append(Bin(LEAST_UPLIFT * 2.0**place, mails, mean, rate, others, base, observed))
    return found
