"""Items: into the catalogue and out of it, and what goes with one."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, put
from litestar.params import Parameter
from msgspec import Struct

from processors.item_neighbours import Neighbour, complements, similar
from schemas.catalogue import Item
from schemas.decode import Invalid, decode
from serving.api.access import needs, plain
from serving.api.contract import NEEDS_TOKEN, PROBLEMS, ItemOperation, id_parameter
from serving.api.events import publish_one, whole_numbers
from serving.api.lists import MOST, USUAL
from serving.api.parts import Parts
from serving.api.problems import FieldError, ProblemError, invalid, unavailable
from serving.api.publisher import Record

ItemId = Annotated[str, id_parameter("The item's id.")]
Limit = Annotated[int, Parameter(ge=1, le=MOST)]


class Beside(Struct, frozen=True):
    """One item beside another."""

    item_id: str
    score: float
    source: str
    item: Item | None = None


class NeighboursAnswer(Struct, frozen=True):
    """What goes with an item, the closest first."""

    item_id: str
    items: tuple[Beside, ...]


class ItemAccepted(Struct, frozen=True):
    """The catalogue's topic has it; lists follow within a moment."""

    item_id: str


@get(
    "/v1/items/{item_id:str}/similar",
    before_request=needs("lists"),
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["items"],
    opt={"own": True},
)
async def get_similar(parts: Parts, item_id: ItemId, limit: Limit = USUAL) -> NeighboursAnswer:
    """Items like this one: by what people deal with together, and by text."""
    return _answer(plain(item_id), similar(plain(item_id), parts.clock_ms(), _ready(parts).storefront, limit), parts)


@get(
    "/v1/items/{item_id:str}/complements",
    before_request=needs("lists"),
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["items"],
    opt={"own": True},
)
async def get_complements(parts: Parts, item_id: ItemId, limit: Limit = USUAL) -> NeighboursAnswer:
    """Items that people deal with beside this one and that are something else."""
    return _answer(
        plain(item_id), complements(plain(item_id), parts.clock_ms(), _ready(parts).storefront, limit), parts
    )


@put(
    "/v1/items/{item_id:str}",
    before_request=needs("items"),
    status_code=202,
    operation_class=ItemOperation,
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["items"],
)
async def put_item(request: Request[Any, Any, Any], parts: Parts, item_id: ItemId) -> ItemAccepted:
    """Add an item, or replace all that was said of it."""
    name = plain(item_id)
    try:
        value = msgspec.json.decode(await request.body())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, f"the body is no JSON: {error}", FieldError("$", str(error))) from None
    if not isinstance(value, dict):
        raise ProblemError(422, "the body must be an object", FieldError("$", "must be an object"))
    if value.setdefault("item_id", name) != name:
        raise ProblemError(
            422, "$.item_id: is not the one of the path", FieldError("$.item_id", "is not the one of the path")
        )
    raw = whole_numbers(msgspec.json.encode(value))
    if isinstance(found := decode("items", name.encode(), raw, parts.clock_ms()), Invalid):
        raise invalid(found)
    await publish_one(parts, Record("items", name.encode(), raw))
    return ItemAccepted(name)


@delete(
    "/v1/items/{item_id:str}",
    before_request=needs("items"),
    status_code=202,
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["items"],
)
async def delete_item(parts: Parts, item_id: ItemId) -> Response[ItemAccepted]:
    """Retire an item: it leaves every list."""
    name = plain(item_id)
    if isinstance(found := decode("items", name.encode(), None), Invalid):
        raise invalid(found)
    await publish_one(parts, Record("items", name.encode(), None))
    return Response(ItemAccepted(name), status_code=202)


def _ready(parts: Parts) -> Parts:
    if not parts.storefront.is_ready:
        raise unavailable("the catalogue, which is being read,")
    return parts


def _answer(item_id: str, found: list[Neighbour] | None, parts: Parts) -> NeighboursAnswer:
    if found is None:
        raise ProblemError(404, f"there is no item {item_id!r}", FieldError("item_id", "is not in the catalogue"))
    card = parts.storefront.card
    return NeighboursAnswer(
        item_id, tuple([Beside(one.item_id, one.score, one.source, card(one.item_id)) for one in found])
    )
