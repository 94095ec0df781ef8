"""`/healthz`, `/readyz` and `/metrics`: the process's own."""

from typing import Final

from litestar import Response, get
from msgspec import Struct

from serving.api.access import needs
from serving.api.contract import NEEDS_TOKEN, PROBLEMS
from serving.api.parts import Parts

TEXT: Final = "text/plain; version=0.0.4"


class Health(Struct, frozen=True):
    """The process answers."""

    alive: bool


class Readiness(Struct, frozen=True):
    """`ready` where lists can be made; `redis` and `kafka` False where they did not answer a moment ago."""

    ready: bool
    catalogue: bool
    profiles: bool
    redis: bool
    kafka: bool
    items: int
    model_version: str


@get("/healthz", tags=["process"])
async def healthz() -> Health:
    """Whether the process lives."""
    return Health(True)


@get("/readyz", tags=["process"], responses={503: PROBLEMS[503]})
async def readyz(parts: Parts) -> Response[Readiness]:
    """Whether catalogue, models and profiles have been read. Redis or Kafka away degrades, and is only said."""
    storefront = parts.storefront
    found = Readiness(
        storefront.is_ready and parts.people.ready,
        storefront.is_ready,
        parts.people.ready,
        not parts.redis.is_open,
        not parts.publisher.breaker.is_open,
        len(storefront.catalogue),
        storefront.version,
    )
    return Response(found, status_code=200 if found.ready else 503)


@get(
    "/metrics",
    before_request=needs("metrics"),
    media_type=TEXT,
    responses=PROBLEMS,
    security=NEEDS_TOKEN,
    tags=["process"],
)
async def metrics(parts: Parts) -> bytes:
    """What the process counts, for Prometheus."""
    return parts.measures.text()
