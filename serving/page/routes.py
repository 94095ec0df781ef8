"""The page's own routes, beside the API's: its files, a visitor, looking around, applying, and tonight's mail."""

import secrets
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from processors.experiment import HOLDOUT_SALT, MAX_HOLDOUT, unit_of
from schemas.behaviour import Apply, Origin
from schemas.catalogue import Item, Location, User
from schemas.decisions import SendTime
from schemas.fields import Id
from serving.api.access import asked_by, needs
from serving.api.events import publish_one
from serving.api.limits import AwayError
from serving.api.lists import Shown, Wish, made
from serving.api.parts import Parts
from serving.api.problems import FieldError, ProblemError
from serving.api.publisher import Record
from serving.search.answer import SearchAnswer

FILES: Final = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
AROUND: Final = 12
IN_MAIL: Final = 4
TZ: Final = "America/Chicago"

Markets = Callable[[str], str | None]
"""Where the market of a name is to be seen; None while it is being opened."""


class _Known(Struct):
    user_id: Id = ""
    token: str = ""


class Session(Struct, frozen=True):
    """A visitor of the page."""

    user_id: str
    token: str
    domain: str


class Around(Struct, frozen=True):
    """What looking around or searching found."""

    items: tuple[Item, ...]
    note: str


class _Application(Struct):
    item_id: Id
    event_id: Id


class Mail(Struct, frozen=True):
    """Tonight's mail: when, why then, and what would be in it."""

    when: str | None
    why: str
    subject: str
    items: tuple[Shown, ...]


class Market(Struct, frozen=True):
    """Where a market is to be seen; without `url` it is still being opened."""

    url: str | None


@cache
def _file(name: str) -> bytes:
    return resources.files("serving.page").joinpath(name).read_bytes()


def _served(name: str) -> Response[bytes]:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}
    return Response(_file(name), media_type=f"{FILES[name]}; charset=utf-8", headers=headers)


@get("/", include_in_schema=False)
async def page() -> Response[bytes]:
    """The page."""
    return _served("index.html")


@get(["/page.css", "/page.js"], include_in_schema=False)
async def page_file(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Its style and its script."""
    return _served(request.url.path.removeprefix("/"))


def _visitor(request: Request[Any, Any, Any]) -> str:
    who = asked_by(request)
    if who is None or who.user_id is None:
        raise ProblemError(401, "the page's own routes are for its visitors")
    return who.user_id


def _sent(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProblemError(422, str(error), FieldError("$", str(error))) from None


@get("/demo/browse", before_request=needs("lists"), opt={"own": True}, include_in_schema=False)
async def browse(
    request: Request[Any, Any, Any], parts: Parts, q: Annotated[str, Parameter(max_length=200)] = ""
) -> Around:
    """What is popular and new; or what the words of a search find, in the visitor's own order."""
    storefront, now_ms = parts.storefront, parts.clock_ms()
    if q.strip():
        profile = parts.people.profile(_visitor(request))
        answer = parts.engine.search(q, profile=profile, now_ms=now_ms, limit=AROUND, with_facets=False)
        ids, note = [place.item_id for place in answer.items], _note(answer)
    else:
        popular, new = storefront.shelves.popular(now_ms), storefront.shelves.new(now_ms)
        rows = dict.fromkeys([row for pair in zip(popular[1].tolist(), new.tolist(), strict=False) for row in pair])
        catalogue = storefront.catalogue
        ids = [catalogue.item_id(row) for row in list(rows)[: AROUND * 2] if catalogue.until_ms[row] > now_ms]
        note = "popular and new"
    cards = [card for item_id in ids[:AROUND] if (card := storefront.card(item_id)) is not None]
    return Around(tuple(cards), note)


def _note(answer: SearchAnswer) -> str:
    """What was understood, mended and relaxed, in a line."""
    told = [f"{answer.total:,} found"]
    told += [part.says for part in answer.understood if part.kind not in answer.relaxed]
    told += [f"{word.meant} for {word.typed}" for word in answer.mended]
    if answer.relaxed:
        told.append(f"nothing has it all: without {', '.join(answer.relaxed)}")
    return " · ".join(told)


@post("/demo/applies", before_request=needs("lists"), opt={"own": True}, include_in_schema=False, status_code=202)
async def apply(request: Request[Any, Any, Any], parts: Parts) -> dict[str, str]:
    """An application or a purchase: told by this server, for browsers must not."""
    sent, user_id = _sent(await request.body(), _Application), _visitor(request)
    event = Apply(
        event_id=sent.event_id, user_id=user_id, item_id=sent.item_id, ts_ms=parts.clock_ms(), origin=Origin("site")
    )
    await publish_one(parts, Record("applies", user_id.encode(), msgspec.json.encode(event)))
    return {"event_id": sent.event_id}


@get("/demo/mail", before_request=needs("lists"), opt={"own": True}, include_in_schema=False)
async def tonight(request: Request[Any, Any, Any], parts: Parts) -> Mail:
    """When the next mail goes, and what would be in it now."""
    user_id = _visitor(request)
    items = made(user_id, Wish(surface="email", limit=IN_MAIL), parts).items
    try:
        stored = await parts.redis.call(lambda: parts.decisions.send_time(user_id))
    except AwayError:
        stored = None
    decided = None if stored is None else msgspec.json.decode(stored, type=SendTime)
    card = parts.storefront.card(items[0].item_id) if items else None
    first = card.title if card is not None else ""
    subject = f"{first}, and {len(items) - 1} more for you" if first else ""
    return Mail(_when(decided, parts.clock_ms()), _why(decided), subject, items)


def _when(decided: SendTime | None, now_ms: int) -> str | None:
    if decided is None or decided.send_at_ms is None:
        return None
    zone = ZoneInfo(decided.tz)
    at = datetime.fromtimestamp(decided.send_at_ms / 1000, zone)
    days = (at.date() - datetime.fromtimestamp(now_ms / 1000, zone).date()).days
    return f"{'' if days == 0 else 'Tomorrow ' if days == 1 else f'{at:%A} '}{at:%H:%M}"


def _why(decided: SendTime | None) -> str:
    if decided is None:
        return "No moment is chosen yet. This is what it would hold now."
    return decided.reason


def _fresh_id() -> str:
    """An id that no holdout holds: a visitor is to see their mail."""
    while unit_of(HOLDOUT_SALT, user_id := f"visitor-{secrets.token_hex(5)}") < MAX_HOLDOUT:
        pass
    return user_id


def page_routes(domain: str, town: Location | None, markets: Markets) -> list[ControllerRouterHandler]:
    """The routes of one market's page; `town` is where its visitors say they are from."""

    @post("/demo/session", include_in_schema=False, status_code=201)
    async def begin(request: Request[Any, Any, Any], parts: Parts) -> Session:
        """A new visitor, or a new token for one who was here."""
        known = _sent(await request.body(), _Known)
        who = parts.doors.principal(known.token) if known.token else None
        if who is not None and who.user_id == known.user_id:
            user_id = known.user_id
        else:
            user_id = _fresh_id()
            visitor = User(
                user_id=user_id, ts_ms=parts.clock_ms(), tz=TZ, location=town, email_opt_in=True, frequency="daily"
            )
            await publish_one(parts, Record("users", user_id.encode(), msgspec.json.encode(visitor)))
        token, _ = parts.doors.user_token(user_id, parts.limits.user_token_s)
        return Session(user_id, token, domain)

    @post(
        "/demo/markets/{name:str}",
        before_request=needs("lists"),
        opt={"own": True},
        include_in_schema=False,
        status_code=200,
    )
    async def other(name: str) -> Market:
        """Where the other market is; asked again and again until it is open."""
        if name not in {"jobs", "shop"}:
            raise ProblemError(404, f"there is no market {name!r}")
        return Market(markets(name))

    return [page, page_file, browse, apply, tonight, begin, other]
