"""The console as an ASGI application."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException
from litestar.params import FromPath
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template.config import TemplateConfig

from serving.console import models_page, pages
from serving.console.state import Console
from serving.console.words import FILTERS, ago
from serving.look.stylesheet import stylesheet

ASSETS: Final = {
    "htmx.min.js": MediaType.TEXT,
    "sse.min.js": MediaType.TEXT,
    "uplot.min.js": MediaType.TEXT,
    "console.js": MediaType.TEXT,
    "uplot.min.css": MediaType.CSS,
    "console.css": MediaType.CSS,
}
JAVASCRIPT: Final = "text/javascript"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@get("/assets/{name:str}", sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """What ships in the package; nothing comes from elsewhere."""
    if name == "attune.css":
        return Response(stylesheet(), media_type=MediaType.CSS, headers={"Cache-Control": "max-age=300"})
    if name not in ASSETS:
        raise NotFoundException(f"no asset {name}")
    kind = MediaType.CSS if name.endswith(".css") else JAVASCRIPT
    content = resources.files("serving.console").joinpath("assets", name).read_bytes()
    return Response(content, media_type=kind, headers={"Cache-Control": "max-age=300"})


@get("/healthz", sync_to_thread=False, media_type=MediaType.TEXT)
def healthz() -> str:
    """The console itself."""
    return "ok\n"


def on_stranger(request: Request[Any, Any, Any], error: NotAuthorizedException) -> Response[Any]:
    """A browser is led to the form; a program is told."""
    if "text/html" in request.headers.get("accept", "") and "authorization" not in request.headers:
        return Redirect("/login", status_code=303)
    return Response({"detail": error.detail}, status_code=401, headers={"WWW-Authenticate": "Bearer"})


def on_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any] | Template:
    """In words, without a trace."""
    if "text/html" not in request.headers.get("accept", ""):
        return Response({"detail": error.detail}, status_code=error.status_code)
    context = {"code": error.status_code, "detail": error.detail}
    return Template("error.html", context=context, status_code=error.status_code)


def application(console: Console) -> Litestar:
    """The console over its parts; the feeds run for as long as the application."""
    stop = threading.Event()

    @asynccontextmanager
    async def feeds(_: Litestar) -> AsyncIterator[None]:
        for feed in (console.lag, console.workers, console.owners):
            threading.Thread(target=feed.run, args=(stop,), name=type(feed).__name__, daemon=True).start()
        try:
            yield
        finally:
            stop.set()
            console.pool.shutdown(wait=False, cancel_futures=True)

    environment = Environment(
        loader=PackageLoader("serving.console", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(FILTERS)
    environment.globals.update(ago=ago)
    return Litestar(
        [
            pages.root, pages.login_page, pages.login, pages.logout, pages.page, pages.live, pages.dead_letters,
            pages.replay, pages.person, pages.erase, pages.topology, pages.audit, models_page.models,
            models_page.rollback, models_page.stop_experiment, asset, healthz,
        ],
        state=State({"console": console}),
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment)),
        lifespan=[feeds],
        exception_handlers={NotAuthorizedException: on_stranger, HTTPException: on_error},
        response_headers=HEADERS,
        openapi_config=None,
    )  # fmt: skip
