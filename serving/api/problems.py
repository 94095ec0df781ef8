"""Errors as RFC 9457 problems that name the field at fault.

ProblemError      a route says no: status, detail, the fields, headers
HTTPException     Litestar says no: the same form
anything else     is a bug: logged, and a 500 that tells nothing
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct

from schemas.decode import Invalid

MEDIA_TYPE: Final = "application/problem+json"
_log = structlog.get_logger()


class FieldError(Struct, frozen=True, omit_defaults=True):
    """What is wrong with one field: `field` is a JSON path (`$.item_id`), or the name of a parameter or header."""

    field: str
    reason: str
    index: int | None = None
    """Of the event in its batch, from 0."""
    event_id: str | None = None


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457, with the request's id and the fields at fault."""

    title: str
    status: int
    type: str = "about:blank"
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None
    errors: tuple[FieldError, ...] = ()
    accepted: int | None = None
    """Of a batch, how many events are safely in Kafka all the same; send only those named again."""


class ProblemError(Exception):
    """A route says no."""

    def __init__(
        self,
        status: int,
        detail: str,
        *errors: FieldError,
        headers: Mapping[str, str] | None = None,
        accepted: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.headers, self.accepted = dict(headers or {}), accepted


def invalid(found: Invalid) -> ProblemError:
    """What the schema says, as a problem."""
    return ProblemError(422, f"{found.field}: {found.reason}", FieldError(found.field, found.reason))


def unavailable(what: str, retry_after_s: int = 2) -> ProblemError:
    """Something behind the API is away for the moment."""
    return ProblemError(503, f"{what} does not answer just now", headers={"Retry-After": str(retry_after_s)})


def on_problem(request: Request[Any, Any, Any], error: ProblemError) -> Response[bytes]:
    """A `ProblemError` as a response."""
    return _response(request, error.status, error.detail, error.errors, error.headers, error.accepted)


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals: unknown paths and methods, parameters, bodies that are too large."""
    extra = error.extra if isinstance(error.extra, list) else []
    fields = tuple(
        FieldError(str(found.get("key", "")), str(found.get("message", ""))) for found in extra if "message" in found
    )
    detail = "; ".join(f"{found.field}: {found.reason}" for found in fields) or error.detail
    return _response(request, error.status_code, detail, fields, dict(error.headers or {}))


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Whatever a route did not foresee."""
    _log.error("bug", path=request.scope.get("path_template"), error=repr(error), exc_info=error)
    return _response(request, 500, "an error of ours; the log has it under the request's id", ())


def _response(
    request: Request[Any, Any, Any],
    status: int,
    detail: str,
    errors: tuple[FieldError, ...],
    headers: Mapping[str, str] | None = None,
    accepted: int | None = None,
) -> Response[bytes]:
    scope: Mapping[str, Any] = request.scope
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=scope.get("request_id"),
        errors=errors,
        accepted=accepted,
    )
    return Response(
        msgspec.json.encode(problem), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )
