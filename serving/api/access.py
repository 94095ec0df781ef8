"""Who asks, and whether they may: bearer tokens with scopes, and signed user tokens for browsers.

A user token is `u.PAYLOAD.SIGNATURE`, both base64url without padding; the payload is `{"sub": USER, "exp": SECONDS}`,
the signature HMAC-SHA256 over `u.PAYLOAD`. It lasts minutes, and allows one person's own lists and events alone.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from msgspec import Struct

from schemas.access import Grant, Scope
from schemas.fields import Id
from serving.api.limits import Bucket
from serving.api.problems import ProblemError

USER_RATE_PER_S: Final = 20.0
MOST_BUCKETS: Final = 50_000
OWN_TOPICS: Final = frozenset({"views", "saves", "dismissals", "searches", "impressions"})
"""What a browser may tell of its own person; `applies`, `clicks` and `opens` come from servers."""
ADMITTED: Final = "admitted"
"""In the scope of a request that was counted already."""
OWN: Final = "own"
"""The `opt` of routes that a user token opens for its own person."""


class Principal(Struct, frozen=True):
    """Who asks. `user_id` is set for a browser, which then has no scopes."""

    name: str
    scopes: frozenset[str] = frozenset()
    user_id: str | None = None
    rate_per_s: float = USER_RATE_PER_S


class _Claims(Struct):
    sub: Id
    exp: int


_decode_claims: Final = msgspec.json.Decoder(_Claims).decode


class Doors:
    """Knows the tokens. `clock_ms` is the wall's; an empty `user_token_key` means that no user token is valid."""

    def __init__(self, grants: Mapping[str, Grant], user_token_key: str, clock_ms: Callable[[], int]) -> None:
        self._by_hash = {
            grant.sha256: Principal(name, frozenset(grant.scopes), None, grant.rate_per_s)
            for name, grant in grants.items()
        }
        self._key = user_token_key.encode()
        self._clock_ms = clock_ms
        self._buckets: dict[str, Bucket] = {}

    def principal(self, token: str) -> Principal | None:
        """Whose token it is; None where it is nobody's, forged or expired."""
        if token.startswith("u."):
            return self._browser(token)
        return self._by_hash.get(hashlib.sha256(token.encode()).hexdigest())

    def user_token(self, user_id: str, ttl_s: int) -> tuple[str, int]:
        """A token for one person's browser, and when it expires (ms). Raises ProblemError without a key."""
        if not self._key:
            raise ProblemError(503, "no user tokens: the setting user_token_key is empty")
        exp = self._clock_ms() // 1000 + ttl_s
        signed = b"u." + _b64(msgspec.json.encode({"sub": user_id, "exp": exp}))
        return (signed + b"." + _b64(self._mac(signed))).decode(), exp * 1000

    def admit(self, who: Principal) -> float:
        """Count one request. Returns 0, or after how many seconds it would be allowed."""
        bucket = self._buckets.get(who.name)
        if bucket is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[who.name] = Bucket(who.rate_per_s)
        return bucket.take(self._clock_ms() / 1000)

    def _browser(self, token: str) -> Principal | None:
        signed, _, signature = token.rpartition(".")
        try:
            if not self._key or not hmac.compare_digest(_unb64(signature), self._mac(signed.encode())):
                return None
            claims = _decode_claims(_unb64(signed[2:]))
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None
        if claims.exp * 1000 <= self._clock_ms():
            return None
        return Principal(f"user {claims.sub}", user_id=claims.sub)

    def _mac(self, signed: bytes) -> bytes:
        return hmac.new(self._key, signed, hashlib.sha256).digest()


def needs(scope: Scope) -> Callable[..., Any]:
    """A hook before a route: the token must have `scope`, or on routes with `opt` `own`, be the person's own.

    No guard of Litestar's: those get a copy of the route at every request, which costs as much as the rest.
    """

    async def check(request: Request[Any, Any, Any]) -> None:
        who = asked_by(request)
        if who is None:
            reason = "the token is unknown or has expired" if request.scope.get("token_given") else "a token is needed"
            raise ProblemError(401, reason, headers={"WWW-Authenticate": 'Bearer realm="attune"'})
        wait_s = 0.0 if ADMITTED in request.scope else request.app.state.doors.admit(who)
        if wait_s > 0.0:
            raise ProblemError(
                429, f"more than {who.rate_per_s:g} requests a second", headers={"Retry-After": str(int(wait_s) + 1)}
            )
        if who.user_id is not None:
            about = request.path_params.get("user_id", who.user_id)
            if OWN not in request.route_handler.opt or plain(about) != who.user_id:
                raise ProblemError(403, "a user token allows its own person's lists and events alone")
        elif scope not in who.scopes:
            raise ProblemError(403, f"this token lacks the scope {scope!r}")

    return check


def asked_by(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
    """Who asks, where the token is known."""
    scope: Any = connection.scope
    who: Principal | None = scope.get("principal")
    return who


SLASH: Final = "\ue0ff"
"""Stands for a `/` inside an id while a path is taken apart."""


def plain(path_value: str) -> str:
    """An id out of a path, its slashes back in place."""
    return path_value.replace(SLASH, "/")


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
