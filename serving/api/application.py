"""The API as an ASGI application."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import resources
from typing import Any, Final

from litestar import Litestar, MediaType, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, ControllerRouterHandler

from schemas.decisions import SendTime
from serving.api.contract import COMPONENTS, Document
from serving.api.events import Accepted, post_events
from serving.api.gate import Gate
from serving.api.health import Health, Readiness, healthz, metrics, readyz
from serving.api.items import ItemAccepted, NeighboursAnswer, delete_item, get_complements, get_similar, put_item
from serving.api.lists import ListAnswer, get_recommendations, stream_recommendations
from serving.api.parts import Parts
from serving.api.people import (
    ErasureAnswer,
    Kept,
    TokenAnswer,
    delete_user,
    get_erasure,
    get_send_time,
    get_user,
    post_user_token,
)
from serving.api.problems import Problem, ProblemError, on_bug, on_http, on_problem
from serving.api.search import SearchFound, get_search
from serving.look.stylesheet import stylesheet

MOST_BYTES: Final = 8 * 1024 * 1024
ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    get_recommendations,
    stream_recommendations,
    get_similar,
    get_complements,
    get_search,
    get_send_time,
    post_events,
    put_item,
    delete_item,
    get_user,
    delete_user,
    get_erasure,
    post_user_token,
    healthz,
    readyz,
    metrics,
)
ANSWERS: Final = (
    ListAnswer,
    NeighboursAnswer,
    SearchFound,
    ItemAccepted,
    Accepted,
    Kept,
    ErasureAnswer,
    TokenAnswer,
    SendTime,
    Health,
    Readiness,
    Problem,
)
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


@get("/attune.css", media_type=MediaType.CSS, include_in_schema=False, cache_control=None)
async def css() -> bytes:
    """The stylesheet of everything that people see."""
    return stylesheet()


@get("/attune.js", media_type="text/javascript", include_in_schema=False)
async def snippet() -> bytes:
    """The browser's part: views with dwell time, in batches and beacons."""
    return resources.files("serving.api").joinpath("attune.js").read_bytes()


def application(
    parts: Parts,
    origins: Sequence[str] = (),
    lifespan: Lifespan | None = None,
    more: Sequence[ControllerRouterHandler] = (),
) -> ASGIApp:
    """The API; `origins` are those of pages that may call it from a browser, `more` are routes beside its own."""
    app = Litestar(
        [*ROUTES, css, snippet, *more],
        dependencies={"parts": Provide(_given(parts), sync_to_thread=False, use_cache=True)},
        exception_handlers={ProblemError: on_problem, HTTPException: on_http, Exception: on_bug},
        cors_config=CORSConfig(
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["x-request-id", "retry-after", "location"],
        )
        if origins
        else None,
        lifespan=[lifespan or _nothing],
        openapi_config=OpenAPIConfig(
            title="Attune",
            version="1",
            description="What to recommend to each person, and when to write to them. See docs/api.md.",
            path="/schema",
            render_plugins=[Document(ANSWERS)],
            components=COMPONENTS,
            use_handler_docstrings=True,
        ),
        request_max_body_size=MOST_BYTES,
        state=State({"doors": parts.doors}),
        logging_config=None,
        debug=False,
    )
    methods = {
        route.path_format: ", ".join(sorted(route.methods)) for route in app.routes if isinstance(route, HTTPRoute)
    }
    return Gate(app, parts, methods)


def _given(parts: Parts) -> Callable[[], Parts]:
    def given() -> Parts:
        return parts

    return given


@asynccontextmanager
async def _nothing(_: Any) -> AsyncIterator[None]:
    yield
