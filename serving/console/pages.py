"""The handlers: pages, their live parts, and the two things that can be done here."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect, Response, ServerSentEvent, ServerSentEventMessage, Template

from serving.console.live import LIVE, chart_json
from serving.console.lookups import UnavailableError
from serving.console.sessions import COOKIE, SESSION_S
from serving.console.state import actor_of, address_of, console_of, session_of

EVERY_S: Final = 1.0
LETTERS: Final = 100
MAX_ID: Final = 128
Asked = Request[Any, Any, Any]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
TITLES: Final = {
    "overview": "Overview",
    "lag": "Lag",
    "dead-letters": "Dead letters",
    "models": "Models",
    "person": "Person",
    "sending": "Sending",
    "topology": "Topology",
    "audit": "Audit",
}


def shown(request: Asked, name: str, context: dict[str, Any] | None = None, status: int = 200) -> Template:
    """A page in the frame that all pages share."""
    session = session_of(request)
    return Template(
        f"{name}.html",
        context={"page": name, "title": TITLES[name], "titles": TITLES, "session": session, **(context or {})},
        status_code=status,
    )


@get("/", sync_to_thread=False)
def root() -> Redirect:
    """The overview comes first."""
    return Redirect("/overview")


@get("/{name:str}")
async def page(request: Asked, name: FromPath[str]) -> Template:
    """A page with a live part."""
    if name not in LIVE:
        raise NotFoundException(f"no page {name}")
    session_of(request)
    context = LIVE[name](console_of(request))
    return shown(request, name, {**context, "chart_json": chart_json(context)})


@get("/live/{name:str}")
async def live(request: Asked, name: FromPath[str]) -> ServerSentEvent:
    """The live part of a page, again and again."""
    session_of(request)
    if name not in LIVE:
        raise NotFoundException(f"no page {name}")
    console, engine = console_of(request), request.app.template_engine
    assert engine is not None

    async def parts() -> AsyncIterator[ServerSentEventMessage]:
        before = ""
        while True:
            context = LIVE[name](console)
            text = engine.get_template(f"{name}_live.html").render(**context, chart_json=chart_json(context))
            if text != before:
                before = text
                yield ServerSentEventMessage(data=text, event="part")
            await asyncio.sleep(EVERY_S)

    return ServerSentEvent(parts())


@get("/dead-letters")
async def dead_letters(
    request: Asked, topic: FromQuery[str] = "", reason: FromQuery[str] = "", sent: FromQuery[str] = ""
) -> Template:
    """Browse what could not be used."""
    session_of(request)
    console = console_of(request)
    context: dict[str, Any] = {"topic": topic, "reason": reason, "sent": sent, "letters": [], "count": 0, "trouble": ""}
    try:
        context["letters"], context["count"] = await console.ask(
            console.lookups.letters, topic or None, reason or None, LETTERS
        )
    except UnavailableError as error:
        context["trouble"] = str(error)
    return shown(request, "dead-letters", context)


@post("/dead-letters/replay")
async def replay(request: Asked, data: Form) -> Template | Redirect:
    """Ask whether to send the chosen letters back; with `confirmed`, do it."""
    console = console_of(request)
    given = data.get("id", [])
    ids = [str(each) for each in (given if isinstance(given, list) else [given])][:LETTERS]
    subject = " ".join(ids)
    session = await actor_of(request, "replay", subject, data.get("csrf"))
    if not ids:
        return Redirect("/dead-letters")
    if data.get("confirmed") != "yes":
        return shown(request, "dead-letters", {"confirm": ids, "letters": [], "count": 0, "trouble": ""})
    who = session.role, address_of(request)
    await console.ask(console.audit.write, *who, "replay", subject, "asked")
    try:
        sent = await console.ask(console.lookups.replay, ids)
    except UnavailableError as error:
        await console.ask(console.audit.write, *who, "replay", subject, f"failed: {error}")
        return shown(request, "dead-letters", {"letters": [], "count": 0, "trouble": str(error)}, 503)
    await console.ask(console.audit.write, *who, "replay", subject, f"sent back: {sent}")
    return Redirect(f"/dead-letters?sent={sent}")


@get("/person")
async def person(request: Asked, user: FromQuery[str] = "") -> Template:
    """Everything about one person."""
    session_of(request)
    console = console_of(request)
    user = user.strip()
    context: dict[str, Any] = {"user": user[:MAX_ID], "erased": "", "person": None, "trouble": ""}
    if len(user) > MAX_ID:
        context["trouble"] = f"an id has at most {MAX_ID} characters"
    elif user:
        try:
            context["person"] = await console.ask(console.lookups.person, user)
        except UnavailableError as error:
            context["trouble"] = str(error)
    return shown(request, "person", context)


@post("/person/erase")
async def erase(request: Asked, data: Form) -> Template | Redirect:
    """Forget a person; the id has to be typed again."""
    console = console_of(request)
    user = str(data.get("user", ""))[: MAX_ID + 1]
    alias = console.audit.alias(user)
    session = await actor_of(request, "erase", alias, data.get("csrf"))
    context: dict[str, Any] = {"user": user, "erased": "", "person": None}
    if not user or len(user) > MAX_ID or data.get("again") != user:
        trouble = "Nothing was erased: the id typed for confirmation is not the same."
        return shown(request, "person", {**context, "trouble": trouble}, 400)
    who = session.role, address_of(request)
    await console.ask(console.audit.write, *who, "erase", alias, "asked")
    try:
        event_id = await console.ask(console.lookups.erase, user)
    except UnavailableError as error:
        await console.ask(console.audit.write, *who, "erase", alias, f"failed: {error}")
        return shown(request, "person", {**context, "trouble": str(error)}, 503)
    await console.ask(console.audit.write, *who, "erase", alias, f"event {event_id}")
    return shown(request, "person", {**context, "erased": event_id, "trouble": ""})


@get("/topology")
async def topology(request: Asked) -> Template:
    """Topics, agents, tables."""
    session_of(request)
    console = console_of(request)
    try:
        return shown(request, "topology", {"topology": await console.ask(console.lookups.topology), "trouble": ""})
    except UnavailableError as error:
        return shown(request, "topology", {"topology": None, "trouble": str(error)})


@get("/audit")
async def audit(request: Asked) -> Template:
    """Who did what here."""
    session_of(request)
    console = console_of(request)
    return shown(request, "audit", {"entries": await console.ask(console.audit.newest)})


@get("/login", sync_to_thread=False)
def login_page() -> Template:
    """The form."""
    return Template("login.html", context={"wrong": ""})


@post("/login")
async def login(request: Asked, data: Form) -> Template | Response[Any]:
    """Take a password."""
    console, address = console_of(request), address_of(request)
    if console.sessions.is_waiting(address):
        return Template("login.html", context={"wrong": "Too many wrong passwords. Wait a minute."}, status_code=429)
    token = console.sessions.login(str(data.get("password", "")), address)
    if token is None:
        await console.ask(console.audit.write, "nobody", address, "login", "", "refused: wrong password")
        return Template("login.html", context={"wrong": "That is not the password."}, status_code=401)
    session = console.sessions.find(token, None)
    assert session is not None
    await console.ask(console.audit.write, session.role, address, "login", "", "ok")
    answer = Redirect("/overview", status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, max_age=int(SESSION_S), httponly=True, samesite="strict", secure=secure)
    return answer


@post("/logout")
async def logout(request: Asked, data: Form) -> Response[Any]:
    """End the session; a forged form ends nothing."""
    session = session_of(request)
    if str(data.get("csrf", "")) == session.csrf:
        console_of(request).sessions.logout(request.cookies.get(COOKIE))
    answer = Redirect("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer
