"""`GET /v1/recommendations/{user_id}`, once and as a stream: from Redis where that is enough, or made on the spot."""

import uuid
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.response.base import ASGIResponse
from msgspec import Struct

from processors.item_filter import PATTERN, condition
from processors.merchandising import AppliedRule, in_force
from processors.profile import Profile, Stated
from processors.rerank import Ask, rerank
from schemas.behaviour import Surface
from schemas.decisions import Recommendation, RecommendedItem
from serving.api.access import needs, plain
from serving.api.contract import ID_PATTERN, NEEDS_TOKEN, PROBLEMS, id_parameter
from serving.api.limits import AwayError
from serving.api.parts import Parts
from serving.api.problems import ProblemError, unavailable

MOST: Final = 50
USUAL: Final = 10

Origin = Literal["stored", "reranked", "popular", "popular_near_you"]

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Recommendation).decode

_ID_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": ID_PATTERN}

Ids = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=ID_PATTERN)]],
    Parameter(
        default=(), max_items=200, description="Items not to show; may be repeated.", schema_extra={"items": _ID_SCHEMA}
    ),
]
Filters = Annotated[
    list[str],
    QueryParameter(
        name="filter",
        default=(),
        max_items=32,
        description="Conditions such as `city:Austin`, `remote:true`, `salary>=90000`, `price<=50`, `posted<=7d`; "
        "may be repeated. Those with `:` on one field are alternatives.",
        schema_extra={"items": {"type": "string", "pattern": PATTERN}},
    ),
]
ItemOrNone = Annotated[
    str | None,
    Parameter(min_length=1, max_length=128, pattern=ID_PATTERN, description="The item being looked at now."),
]
Near = Annotated[
    str | None,
    Parameter(
        min_length=1, max_length=200, pattern=ID_PATTERN, description="A city, where nothing is known of the person."
    ),
]


class Shown(Struct, frozen=True, omit_defaults=True):
    """One place of a list, and what a page shows of the item."""

    item_id: str
    rank: int
    score: float
    source: str
    reasons: tuple[str, ...]
    propensity: float = 1.0
    p_click: float | None = None
    p_apply: float | None = None
    item: msgspec.Raw | None = None
    """An `Item`, as JSON."""
    parts: dict[str, float] | None = None
    """With `explain`: what each feature adds to the score."""


class ListAnswer(Struct, frozen=True):
    """A list.

    `origin` says where it comes from: `stored` as published, `reranked` for this request, `popular` or
    `popular_near_you` where nothing is known of the person. `stale` marks a stored list older than it should be,
    `degraded` names what did not answer. `rules` are the house's rules that were in force.
    """

    user_id: str
    surface: Surface
    rec_id: str
    ts_ms: int
    age_ms: int
    origin: Origin
    stale: bool
    degraded: tuple[str, ...]
    model_version: str
    trigger_event_id: str | None
    """The event that a stored list answers; begins with `wake` where a timer made it."""
    rules: tuple[AppliedRule, ...]
    items: tuple[Shown, ...]


class Wish(Struct, frozen=True):
    """What a request asks of its list."""

    surface: Surface = "site"
    limit: int = USUAL
    exclude: tuple[str, ...] = ()
    context_item: str | None = None
    filters: tuple[str, ...] = ()
    near: str | None = None
    explain: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether a stored list can be the answer."""
        return not (self.exclude or self.context_item or self.filters or self.explain)


@get(
    "/v1/recommendations/{user_id:str}",
    before_request=needs("lists"),
    responses={200: ResponseSpec(ListAnswer, generate_examples=False, description="A list."), **PROBLEMS},
    security=NEEDS_TOKEN,
    tags=["lists"],
    opt={"own": True},
)
async def get_recommendations(
    parts: Parts,
    user_id: Annotated[str, id_parameter("Whom the list is for.")],
    exclude: Ids,
    filters: Filters,
    surface: Surface = "site",
    limit: Annotated[int, Parameter(ge=1, le=MOST)] = USUAL,
    context_item: ItemOrNone = None,
    near: Near = None,
    explain: bool = False,
) -> ASGIResponse:
    """What to show to a person now, with reasons."""
    wish = Wish(surface, limit, tuple(exclude), context_item, tuple(filters), near, explain)
    found = await answer(plain(user_id), wish, parts)
    return ASGIResponse(body=_encode(found), media_type="application/json")  # a fifth less time than a struct returned


@get(
    "/v1/recommendations/{user_id:str}/stream",
    before_request=needs("lists"),
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["lists"],
    opt={"own": True},
    include_in_schema=False,
)
async def stream_recommendations(
    parts: Parts, request: Request[Any, Any, Any], user_id: str, limit: Annotated[int, Parameter(ge=1, le=MOST)] = USUAL
) -> ServerSentEvent:
    """The list now, and every new one as it is decided: server-sent events named `list`."""
    person, wish = plain(user_id), Wish(limit=limit)
    queue = parts.news.subscribe(person)

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        try:
            first = await answer(person, wish, parts)
            yield _message(first)
            while True:
                stored = await queue.get()
                if not stored:
                    return
                shown = from_stored(_decode(stored), wish, parts, ())
                yield _message(shown or await answer(person, wish, parts))
        finally:
            parts.news.unsubscribe(person, queue)

    return ServerSentEvent(events(), headers={"X-Accel-Buffering": "no"})


def _message(found: ListAnswer) -> ServerSentEventMessage:
    return ServerSentEventMessage(event="list", id=found.rec_id, data=msgspec.json.encode(found).decode())


async def answer(user_id: str, wish: Wish, parts: Parts) -> ListAnswer:
    """The list for one request. Raises a problem where a condition cannot be read, or nothing can be had at all."""
    degraded: tuple[str, ...] = ()
    stored = None
    if wish.is_plain:
        try:
            stored = await parts.redis.call(lambda: parts.decisions.recommendation(user_id))
        except AwayError:
            degraded = ("redis",)
    known = _decode(stored) if stored is not None else None
    can_rank = parts.storefront.is_ready
    if known is not None and (not can_rank or parts.clock_ms() - known.ts_ms < parts.limits.list_fresh_ms):
        shown = from_stored(known, wish, parts, degraded)
        if shown is not None:
            return shown
    if not can_rank:
        raise unavailable("the catalogue, which is being read,")
    return made(user_id, wish, parts, degraded)


def from_stored(known: Recommendation, wish: Wish, parts: Parts, degraded: tuple[str, ...]) -> ListAnswer | None:
    """A published list as an answer; None where it cannot be the one asked for and another can be made."""
    now_ms, storefront = parts.clock_ms(), parts.storefront
    age_ms = max(now_ms - known.ts_ms, 0)
    items: Sequence[RecommendedItem] = known.items
    if storefront.is_ready:
        live = storefront.catalogue.row_of
        items = list(islice((place for place in items if live(place.item_id) is not None), wish.limit))
        short = len(items) < wish.limit
        if short or known.surface != wish.surface or in_force(parts.limits.rules, wish.surface, now_ms):
            return None
    parts.measures.stored.inc()
    return ListAnswer(
        known.user_id, known.surface, known.rec_id, known.ts_ms, age_ms, "stored", age_ms >= parts.limits.list_fresh_ms,
        degraded, known.model_version, known.trigger.event_id, (), _shown(items[: wish.limit], parts),
    )  # fmt: skip


def made(user_id: str, wish: Wish, parts: Parts, degraded: tuple[str, ...] = ()) -> ListAnswer:
    """A list made for the request from the replica and what is known of the person."""
    try:
        conditions = tuple(condition(text) for text in wish.filters)
    except ValueError as error:
        raise ProblemError(422, f"filter: {error}") from None
    now_ms, storefront = parts.clock_ms(), parts.storefront
    person = parts.people.profile(user_id)
    profile = person if person is not None else Profile()
    if not parts.people.ready:
        degraded = (*degraded, "profiles")
    is_known = bool(profile.actions or profile.stated or wish.context_item)
    located = "location" in profile.stated or "places" in profile.stated
    near = wish.near.partition(",")[0].strip() if wish.near is not None else ""
    if wish.near is not None and not located and storefront.catalogue.cities_named(near):
        city, _, region = (part.strip() for part in wish.near.partition(","))
        said = Stated(now_ms, "request", {"city": city, "region": region or None})
        profile = msgspec.structs.replace(profile, stated={**profile.stated, "location": said})
        located = True
    rules = in_force(parts.limits.rules, wish.surface, now_ms)
    ask = Ask(
        limit=wish.limit,
        exclude=wish.exclude,
        context_item=wish.context_item,
        conditions=conditions,
        rules=rules,
        parts=wish.explain,
    )
    found = rerank(profile, now_ms, storefront, ask)
    origin: Origin = "reranked" if is_known else "popular_near_you" if located else "popular"
    parts.measures.lists.labels(origin).inc()
    return ListAnswer(
        user_id, wish.surface, f"api-{uuid.uuid4().hex}", now_ms, 0, origin, False, degraded, storefront.version,
        None, found.rules, _shown(found.items, parts, found.parts),
    )  # fmt: skip


def _shown(
    items: Sequence[RecommendedItem], parts: Parts, told: tuple[dict[str, float], ...] = ()
) -> tuple[Shown, ...]:
    card = parts.storefront.raw_card
    return tuple(
        [
            Shown(
                item.item_id, rank, item.score, item.source, item.reasons, item.propensity, item.p_click, item.p_apply,
                card(item.item_id), told[rank - 1] if told else None,
            )
            for rank, item in enumerate(items, 1)
        ]
    )  # fmt: skip
