"""People: when to write to them, what is kept of them, forgetting them, and tokens for their browsers."""

import uuid
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.params import Parameter
from msgspec import Struct

from schemas.behaviour import Erasure
from schemas.decisions import SendTime
from serving.api.access import needs, plain
from serving.api.contract import NEEDS_TOKEN, PROBLEMS, id_parameter
from serving.api.events import publish_one
from serving.api.limits import AwayError
from serving.api.parts import Parts
from serving.api.problems import ProblemError, unavailable
from serving.api.publisher import Record

UserId = Annotated[str, id_parameter("The person's id.")]
_decode: Final = msgspec.json.Decoder(SendTime).decode


class Kept(Struct, frozen=True):
    """Everything kept about a person, as a subject-access request wants it. What does not answer just now is named."""

    user_id: str
    profile: dict[str, Any] | None
    recommendation: dict[str, Any] | None
    send_time: dict[str, Any] | None
    degraded: tuple[str, ...] = ()


class ErasureAnswer(Struct, frozen=True):
    """An erasure: `requested`, `accepted` when every live store has forgotten, `complete` when the logs have too."""

    receipt_id: str
    stage: str
    href: str
    ts_ms: int | None = None


class TokenAnswer(Struct, frozen=True):
    """A user token for one person's browser."""

    token: str
    expires_ms: int


@get(
    "/v1/send-times/{user_id:str}",
    before_request=needs("lists"),
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["people"],
)
async def get_send_time(parts: Parts, user_id: UserId) -> SendTime:
    """When to write to a person, or why not to; the newest decision."""
    try:
        found = await parts.redis.call(lambda: parts.decisions.send_time(plain(user_id)))
    except AwayError:
        raise unavailable("Redis") from None
    if found is None:
        raise ProblemError(404, "nothing is decided for this person")
    return _decode(found)


@get(
    "/v1/users/{user_id:str}", before_request=needs("people"), responses=PROBLEMS, security=NEEDS_TOKEN, tags=["people"]
)
async def get_user(parts: Parts, user_id: UserId) -> Kept:
    """Everything kept about a person; from the moment that an erasure is accepted, nothing from before it."""
    name = plain(user_id)
    if not parts.erased.ready:
        raise unavailable("the log of erasures, which is being read,")
    try:
        await parts.publisher.breaker.call(parts.erased.know)
    except AwayError:
        raise unavailable("Kafka") from None
    profile = parts.people.profile(name)
    kept = parts.portrait(name, profile) if profile is not None else None
    lists = times = None
    degraded: tuple[str, ...] = () if parts.people.ready else ("profiles",)
    try:
        lists = await parts.redis.call(lambda: parts.decisions.recommendation(name))
        times = await parts.redis.call(lambda: parts.decisions.send_time(name))
    except AwayError:
        degraded = (*degraded, "redis")
    if kept is None and lists is None and times is None:
        if degraded:
            raise unavailable(" and ".join(degraded))
        raise ProblemError(404, "nothing is kept about this person")
    stored = [None if raw is None else msgspec.json.decode(raw) for raw in (lists, times)]
    return Kept(name, kept, stored[0], stored[1], degraded)


@delete(
    "/v1/users/{user_id:str}",
    before_request=needs("erasure"),
    status_code=202,
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["people"],
)
async def delete_user(parts: Parts, user_id: UserId) -> Response[ErasureAnswer]:
    """Forget a person: at once nothing from before is told. The receipt, under `href`, names nobody."""
    name = plain(user_id)
    event = Erasure(event_id=f"erase-{uuid.uuid4().hex}", user_id=name, ts_ms=parts.clock_ms())
    key = name.encode()
    await publish_one(parts, Record("users", key, None))
    (taken,) = await publish_one(parts, Record("erasures", key, msgspec.json.encode(event)))
    parts.erased.note(name, event.ts_ms)
    receipt_id = f"erasures-{taken.partition}-{taken.offset}"
    href = f"/v1/erasures/{receipt_id}"
    return Response(
        ErasureAnswer(receipt_id, "requested", href, event.ts_ms), status_code=202, headers={"Location": href}
    )


@get(
    "/v1/erasures/{receipt_id:str}",
    before_request=needs("erasure"),
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["people"],
)
async def get_erasure(
    parts: Parts,
    receipt_id: Annotated[
        str, Parameter(pattern=r"^erasures-[0-9]{1,6}-[0-9]{1,18}$", description="As `DELETE /v1/users` said.")
    ],
) -> ErasureAnswer:
    """How far an erasure has come."""
    found = parts.receipts.stage(receipt_id)
    if found is None:
        raise ProblemError(404, "no worker has taken this erasure up yet, or there is none of this id")
    return ErasureAnswer(receipt_id, found.stage, f"/v1/erasures/{receipt_id}", found.ts_ms)


@post(
    "/v1/user-tokens/{user_id:str}",
    before_request=needs("tokens"),
    status_code=201,
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["people"],
)
async def post_user_token(
    parts: Parts, user_id: UserId, ttl_s: Annotated[int | None, Parameter(ge=1, le=3_600)] = None
) -> TokenAnswer:
    """A signed token for one person's browser: own lists and events, for minutes."""
    token, expires_ms = parts.doors.user_token(plain(user_id), ttl_s or parts.limits.user_token_s)
    return TokenAnswer(token, expires_ms)
