"""`POST /v1/events`: what people did, one or a batch, into Kafka."""

from typing import Any, Final

import msgspec
from litestar import Request, post
from msgspec import Raw, Struct

from schemas.behaviour import Event
from schemas.catalogue import Item, User
from schemas.decode import SCHEMAS, Invalid, Retired, decode
from schemas.fields import Id
from serving.api.access import OWN_TOPICS, Principal, asked_by, needs
from serving.api.contract import NEEDS_TOKEN, PROBLEMS, EventsOperation
from serving.api.limits import AwayError
from serving.api.parts import Parts
from serving.api.problems import FieldError, ProblemError, unavailable
from serving.api.publisher import Delivery, Record

MOST_EVENTS: Final = 1_000
TOPICS: Final = tuple(topic for topic in SCHEMAS if topic not in {"items", "erasures"})
"""Items and erasures have routes, and scopes, of their own."""
AHEAD: Final = "more than 24 h ahead of our clock"
OWN_ALONE: Final = "a user token allows its own person's views, saves, dismissals, searches and impressions"


class Accepted(Struct, frozen=True):
    """So many events are in Kafka, acknowledged by all replicas in sync."""

    accepted: int


class _Entry(Struct):
    topic: str
    value: Raw


class _Owner(Struct):
    user_id: Id
    event_id: Any = None


_decode_batch: Final = msgspec.json.Decoder(list[Raw]).decode
_decode_entry: Final = msgspec.json.Decoder(_Entry).decode
_decode_owner: Final = msgspec.json.Decoder(_Owner).decode


@post(
    "/v1/events",
    before_request=needs("events"),
    status_code=202,
    operation_class=EventsOperation,
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["behaviour"],
    opt={"own": True},
)
async def post_events(request: Request[Any, Any, Any], parts: Parts) -> Accepted:
    """Publish what people did.

    One `{"topic": …, "value": …}` or an array of up to 1,000, of any content type (`navigator.sendBeacon` sends
    `text/plain`). Answered when Kafka has acknowledged; events that cannot be used are named one by one with status
    422 (409 where all that is wrong is a time in the future), the others are in Kafka all the same (`accepted`). Sent
    again with the same `event_id`, an event counts once.
    """
    records, errors = read(await request.body(), asked_by(request), parts.clock_ms())
    measures = parts.measures.events
    if errors:
        measures.labels("refused").inc(len(errors))
    try:
        deliveries = await parts.publisher.publish([record for _, record in records])
    except AwayError:
        measures.labels("lost").inc(len(records))
        raise unavailable("Kafka") from None
    lost = [
        FieldError("$", f"not in Kafka: {delivery.error}", index)
        for (index, _), delivery in zip(records, deliveries, strict=True)
        if delivery.error is not None
    ]
    accepted = len(records) - len(lost)
    measures.labels("accepted").inc(accepted)
    if lost:
        raise ProblemError(503, f"{len(lost)} events are not in Kafka", *errors, *lost, accepted=accepted)
    if errors:
        detail = f"{len(errors)} of {len(errors) + accepted} events were refused"
        is_early = all(found.reason.endswith(AHEAD) for found in errors)  # well formed, but not yet
        raise ProblemError(409 if is_early else 422, detail, *errors, accepted=accepted)
    return Accepted(accepted)


def read(body: bytes, who: Principal | None, now_ms: int) -> tuple[list[tuple[int, Record]], list[FieldError]]:
    """Records by their place in the batch, and what is wrong with the others. Raises ProblemError for no JSON."""
    try:
        entries = _decode_batch(body) if body.lstrip()[:1] == b"[" else [Raw(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, f"the body is no JSON: {error}", FieldError("$", str(error))) from None
    if not 1 <= len(entries) <= MOST_EVENTS:
        reason = f"{len(entries)} events, 1 to {MOST_EVENTS} are allowed"
        raise ProblemError(422, reason, FieldError("$", reason))
    records: list[tuple[int, Record]] = []
    errors: list[FieldError] = []
    for index, entry in enumerate(entries):
        match _record(bytes(entry), who.user_id if who is not None else None, now_ms):
            case Record() as record:
                records.append((index, record))
            case FieldError() as wrong:
                errors.append(msgspec.structs.replace(wrong, index=index))
    return records, errors


def _record(entry: bytes, browser: str | None, now_ms: int) -> Record | FieldError:
    try:
        given = _decode_entry(entry)
        value = bytes(given.value)
        topic = given.topic
        if topic not in TOPICS:
            return FieldError("$.topic", f"{topic!r} is none of {', '.join(TOPICS)}")
        owner = _decode_owner(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason, _, field = str(error).partition(" - at `")
        return FieldError(field.rstrip("`") or "$", reason)
    event_id = owner.event_id if isinstance(owner.event_id, str) else None
    if browser is not None and (owner.user_id != browser or topic not in OWN_TOPICS):
        return FieldError("$.topic", OWN_ALONE, None, event_id)
    key = owner.user_id.encode(errors="surrogatepass")
    found = decode(topic, key, value, now_ms)
    if isinstance(found, Invalid) and "got `float`" in found.reason:  # 1.0 is an integer to JSON schemas
        value = whole_numbers(value)
        found = decode(topic, key, value, now_ms)
    match found:
        case Invalid(field="$.ts_ms", reason=reason) if "24 h" in reason:
            return FieldError("$.ts_ms", f"is {AHEAD}", None, event_id)
        case Invalid(field=field, reason=reason):
            return FieldError(field, reason, None, event_id)
        case Event() | User() | Item() | Retired():
            return Record(topic, key, value)


async def publish_one(parts: Parts, *records: Record) -> list[Delivery]:
    """Publish records of ours. Raises a 503 problem where Kafka has not taken them all."""
    try:
        deliveries = await parts.publisher.publish(records)
    except AwayError:
        raise unavailable("Kafka") from None
    if any(delivery.error is not None for delivery in deliveries):
        raise unavailable("Kafka")
    return deliveries


def whole_numbers(value: bytes) -> bytes:
    """JSON with whole numbers written as such.

    >>> whole_numbers(b'{"ts_ms":7.0,"amount":7.5}')
    b'{"ts_ms":7,"amount":7.5}'
    """

    def written(found: Any) -> Any:
        match found:
            case float() if found.is_integer():
                return int(found)
            case dict():
                return {name: written(inner) for name, inner in found.items()}
            case list():
                return [written(inner) for inner in found]
        return found

    return msgspec.json.encode(written(msgspec.json.decode(value)))
