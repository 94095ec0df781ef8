"""The pages that mails lead to: clicks, openings, the preference page, one-click unsubscribing (RFC 8058).

Mail scanners follow every link, so a GET never changes what someone chose; it may only tell that it happened. A click
leads to the address that the catalogue holds for its item and nowhere else.
"""

from collections.abc import Callable
from importlib import resources
from typing import Any, Final

from litestar import Litestar, MediaType, Request, Response, get, head, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest

from schemas.behaviour import Click, Open, Unsubscribe
from serving.look.stylesheet import stylesheet
from serving.mailer.announcer import Announcer, fresh_id
from serving.mailer.choices import Choice, choose, shown
from serving.mailer.config import MailerConfig
from serving.mailer.known import Known
from serving.mailer.letter import environment, web_address
from serving.mailer.links import Kind, Link, Links
from serving.mailer.one_line import one_line

PIXEL: Final = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
PAGES_CSS: Final = resources.files("serving.mailer").joinpath("templates/pages.css").read_bytes()
MAX_FORM_BYTES: Final = 16 * 1024
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
DONE: Final = {
    "saved": "Saved. It counts from the next mail on.",
    "fewer": "Done: you will hear from us less often.",
    "paused": "Done: no mails for 30 days.",
    "resumed": "Welcome back.",
    "unsubscribed": "Done: you will get no more mails.",
    "failed": "That could not be saved just now. Please try again in a minute.",
}


class Office(Struct, frozen=True):
    """What the pages work with."""

    config: MailerConfig
    known: Known
    links: Links
    announcer: Announcer
    now_ms: Callable[[], int]
    registry: CollectorRegistry


def make_pages(office: Office) -> Litestar:
    """The application."""
    known, links, announcer = office.known, office.links, office.announcer

    @get("/c/{token:str}")
    async def click(token: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
        link = links.read("click", token)
        if link is None or link.item_id is None:
            return _page(office, "notice.html.j2", 404, title="This link is not whole", text=BROKEN)
        item = known.item(link.item_id)
        event = Click(
            event_id=fresh_id("click"),
            user_id=link.user_id,
            ts_ms=office.now_ms(),
            send_id=link.send_id,
            item_id=link.item_id,
            user_agent=_agent(request),
        )
        announcer.tell("clicks", event)
        if item is None or not web_address(item.url):
            return _page(office, "notice.html.j2", 410, title="This one is gone", text=GONE)
        return Redirect(item.url or "", status_code=302, headers=HEADERS)

    @get("/o/{token:str}")
    async def opened(token: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        link = links.read("open", token.removesuffix(".gif"))
        if link is not None:
            agent = _agent(request)
            event = Open(
                event_id=fresh_id("open"),
                user_id=link.user_id,
                ts_ms=office.now_ms(),
                send_id=link.send_id,
                user_agent=agent,
            )
            announcer.tell("opens", event)
        return Response(PIXEL, media_type="image/gif", status_code=200 if link else 404, headers=HEADERS)

    @get("/p/{token:str}")
    async def preferences(token: FromPath[str], done: FromQuery[str] = "") -> Response[Any]:
        link = links.read("preferences", token)
        return _not_ours(office) if link is None else _preference_page(office, link, done)

    @post("/p/{token:str}", status_code=303)
    async def prefer(token: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
        link = links.read("preferences", token)
        if link is None:
            return _not_ours(office)
        form = {name: str(value) for name, value in (await request.form()).items()}
        choice = choose(form, known.reader(link.user_id), link.user_id, link.send_id, office.now_ms())
        done = await _announce(office, choice)
        return Redirect(f"/p/{token}?done={done}", status_code=303, headers=HEADERS)

    @get("/u/{token:str}")
    async def ask_to_unsubscribe(token: FromPath[str]) -> Response[Any]:
        link = links.read("unsubscribe", token)
        if link is None:
            return _not_ours(office)
        return _page(office, "unsubscribe.html.j2", 200, keep=_sibling(links, "preferences", link))

    @post("/u/{token:str}", status_code=200)
    async def unsubscribe(token: FromPath[str]) -> Response[Any]:
        link = links.read("unsubscribe", token)
        if link is None:
            return _not_ours(office)
        event = Unsubscribe(
            event_id=fresh_id("unsubscribe"), user_id=link.user_id, ts_ms=office.now_ms(), send_id=link.send_id
        )
        done = await _announce(office, Choice("unsubscribed", "unsubscribes", event))
        if done == "failed":
            return _page(office, "notice.html.j2", 503, title="Not yet", text=DONE["failed"])
        return _page(office, "farewell.html.j2", 200, keep=_sibling(links, "preferences", link))

    @head(["/c/{token:str}", "/o/{token:str}", "/p/{token:str}", "/u/{token:str}"])
    async def looked_at() -> None:
        """A scanner that only asks for headers is told nothing and tells nothing."""

    @get("/attune.css")
    async def css() -> Response[bytes]:
        return Response(
            stylesheet() + PAGES_CSS, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"}
        )

    @get("/healthz", media_type=MediaType.TEXT)
    async def healthz() -> str:
        return "ok\n"

    @get("/metrics", media_type=MediaType.TEXT)
    async def metrics() -> bytes:
        return generate_latest(office.registry)

    return Litestar(
        [click, opened, preferences, prefer, ask_to_unsubscribe, unsubscribe, looked_at, css, healthz, metrics],
        openapi_config=None,
        request_max_body_size=MAX_FORM_BYTES,
        debug=False,
    )


BROKEN: Final = "Perhaps your mail program cut it in two. Open the mail again and follow the link from there."
GONE: Final = "It was taken down since we wrote to you. Your next mail will hold others like it."


def _not_ours(office: Office) -> Response[Any]:
    return _page(office, "notice.html.j2", 404, title="This link is not whole", text=BROKEN)


def _preference_page(office: Office, link: Link, done: str) -> Response[Any]:
    reader = office.known.reader(link.user_id)
    return _page(
        office,
        "preferences.html.j2",
        200,
        form=shown(reader, office.now_ms()),
        jobs=office.config.domain == "jobs",
        done=DONE.get(done, ""),
        failed=done == "failed",
    )


async def _announce(office: Office, choice: Choice) -> str:
    """Publish what someone chose and know it at once, so that the page that follows shows it."""
    if choice.event is None:
        return choice.done
    if not await office.announcer.told(choice.topic, choice.event):
        return "failed"
    office.known.apply(choice.event, choice.topic, choice.event.ts_ms)
    return choice.done


def _page(office: Office, name: str, status: int, **view: Any) -> Response[str]:
    html = environment(True).get_template(name).render(sender=office.config.sender_name, **view)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=HEADERS)


def _sibling(links: Links, kind: Kind, link: Link) -> str:
    """Another page about the same mail, as a path."""
    return f"/p/{links.token(Link(kind, link.user_id, link.send_id))}"


def _agent(request: Request[Any, Any, Any]) -> str | None:
    return one_line(request.headers.get("user-agent", ""), 500) or None
