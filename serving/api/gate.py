"""Around every request: its id, whose token it bears, ids with slashes in paths, and how long it took."""

import re
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.access import SLASH
from serving.api.express import ROUTE, Express
from serving.api.parts import Parts

_REQUEST_ID: Final = re.compile(rb"[\w.-]{1,64}\Z")
_BEARER: Final = b"bearer "


class Gate:
    """An ASGI application around the API's. Refusing is left to the routes' guards, which know what a route needs."""

    def __init__(self, app: ASGIApp, parts: Parts, methods: Mapping[str, str]) -> None:
        self._methods = methods
        self._app = app
        self._doors = parts.doors
        self._measures = parts.measures
        self._express = Express(parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        about: Any = scope  # a plain dictionary, whatever its type says
        headers = dict(about["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex.encode()
        about["request_id"] = request_id.decode()
        raw_path = scope.get("raw_path") or b""
        if b"%2f" in raw_path.lower():
            scope["path"] = "/".join(
                unquote(part.decode("latin-1")).replace("/", SLASH) for part in raw_path.split(b"/")
            )
        token = _token(headers, scope["query_string"])
        if token:
            about["token_given"] = True
            about["principal"] = who = self._doors.principal(token)
            body = None if who is None else await self._express.list_for(about, headers, who)
            if body is not None:
                await _answer(send, body, request_id)
                self._measures.took(ROUTE, "GET", 200, time.perf_counter() - started_s)
                return
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = list(message["headers"])
                if about["method"] == "OPTIONS" and (methods := self._methods.get(about.get("path_template", ""))):
                    told = [header for header in told if header[0] != b"allow"]
                    told.append((b"allow", methods.encode()))  # Litestar tells of one of several handlers of a path
                message["headers"] = [
                    *told,
                    (b"x-request-id", request_id),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            route = str(about.get("path_template") or "none")
            self._measures.took(route, about["method"], status, time.perf_counter() - started_s)


async def _answer(send: Send, body: bytes, request_id: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _token(headers: dict[bytes, bytes], query: bytes) -> str:
    """The bearer token; in a query only a user token counts, because addresses end up in logs."""
    authorization = headers.get(b"authorization", b"")
    if authorization[:7].lower() == _BEARER:
        return authorization[7:].strip().decode("latin-1")
    if b"token=" in query:
        given = parse_qs(query.decode("latin-1")).get("token", [""])[-1]
        return given if given.startswith("u.") else ""
    return ""
