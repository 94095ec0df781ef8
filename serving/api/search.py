"""`GET /v1/search`: what people type, understood, found, and in their own order."""

from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.params import Parameter, QueryParameter
from msgspec import Struct

from processors.item_filter import Condition, condition
from processors.popularity import DAY_MS
from schemas.catalogue import Item
from serving.api.access import asked_by, needs
from serving.api.contract import ID_PATTERN, NEEDS_TOKEN, PROBLEMS
from serving.api.lists import MOST, USUAL
from serving.api.parts import Parts
from serving.api.problems import FieldError, ProblemError, unavailable
from serving.search.answer import Facet, Mended, Understood
from serving.search.filters import Area, Filters, Range

PATTERN: Final = (
    r"^(?:(?:brand|category|city|region|country):[^\u0000-\u001f\u007f-\u009f]{1,200}|remote:(?:true|false)"
    r"|(?:salary|price)(?:>=|<=)[0-9]{1,9}(?:\.[0-9]{1,2})?|posted<=[1-9][0-9]{0,3}d)$"
)
MOST_CHARS: Final = 1_000


class Hit(Struct, frozen=True):
    """One place of what was found, and what a page shows of the item."""

    item_id: str
    rank: int
    score: float
    item: Item | None = None


class SearchFound(Struct, frozen=True):
    """What was found: docs/search.md says what each field means."""

    query: str
    text: str
    total: int
    items: tuple[Hit, ...]
    understood: tuple[Understood, ...]
    mended: tuple[Mended, ...]
    relaxed: tuple[str, ...]
    facets: tuple[Facet, ...]
    suggestions: tuple[str, ...]
    is_personal: bool


@get(
    "/v1/search",
    before_request=needs("lists"),
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["lists"],
    opt={"own": True},
)
async def get_search(
    request: Request[Any, Any, Any],
    parts: Parts,
    q: Annotated[str, Parameter(max_length=MOST_CHARS, description="As typed; empty finds everything.")] = "",
    user_id: Annotated[
        str | None,
        Parameter(min_length=1, max_length=128, pattern=ID_PATTERN, description="Whose order the answer has."),
    ] = None,
    limit: Annotated[int, Parameter(ge=1, le=MOST)] = USUAL,
    filters: Annotated[
        list[str] | None,
        QueryParameter(
            name="filter",
            max_items=32,
            description="As for lists; goes before what the query says of the same. Those with `:` on one field are "
            "alternatives.",
            schema_extra={"items": {"type": "string", "pattern": PATTERN}},
        ),
    ] = None,
    literal: Annotated[bool, Parameter(description="Whether the query is words and nothing else.")] = False,
) -> SearchFound:
    """Items for a query as people type it, with what was understood, facets and suggestions."""
    who = asked_by(request)
    own = None if who is None else who.user_id
    if own is not None and user_id not in {None, own}:
        raise ProblemError(403, "a user token allows its own person's lists and events alone")
    narrowed = _filters(filters or [])
    if not parts.storefront.is_ready:
        raise unavailable("the catalogue, which is being read,")
    person = own or user_id
    profile = parts.people.profile(person) if person is not None else None
    found = parts.engine.search(q, narrowed, profile, parts.clock_ms(), limit, literal=literal)
    card = parts.storefront.card
    return SearchFound(
        found.query,
        found.text,
        found.total,
        tuple([Hit(place.item_id, place.rank, place.score, card(place.item_id)) for place in found.items]),
        found.understood,
        found.mended,
        found.relaxed,
        found.facets,
        found.suggestions,
        found.is_personal,
    )


def _filters(texts: list[str]) -> Filters:
    """The conditions of a request as filters. Raises a problem for one that cannot be read."""
    try:
        conditions = [condition(text) for text in texts]
    except ValueError as error:
        raise ProblemError(422, f"filter: {error}", FieldError("filter", str(error))) from None
    named: dict[str, list[str]] = {}
    for one in conditions:
        named.setdefault(one.field, []).append(one.value)
    if "item" in named or "0" in named.get("posted", ()):
        raise ProblemError(422, "filter: item:… and posted<=0d are none of search's", FieldError("filter", "unknown"))
    regions, countries = tuple(named.get("region", ())), tuple(named.get("country", ()))
    remote = set(named.get("remote", ()))
    return Filters(
        brands=tuple(named.get("brand", ())),
        categories=tuple(named.get("category", ())),
        cities=tuple(named.get("city", ())),
        area=Area(regions=regions, countries=countries) if regions or countries else None,
        remote="true" in remote if len(remote) == 1 else None,
        salary=_range("salary", conditions),
        price=_range("price", conditions),
        posted_within_ms=min(int(days) for days in named["posted"]) * int(DAY_MS) if "posted" in named else None,
    )


def _range(field: str, conditions: list[Condition]) -> Range | None:
    least = [float(one.value) for one in conditions if (one.field, one.operator) == (field, ">=")]
    most = [float(one.value) for one in conditions if (one.field, one.operator) == (field, "<=")]
    return Range(least=max(least, default=None), most=min(most, default=None)) if least or most else None
