"""The shortest way for what is asked most: a stored list, with nothing special about the request.

Routing, parameters and dependencies cost more than a list out of Redis does. What is not plain, not allowed or not
stored goes the long way, through the routes, which answer the same (tests/serving/api/test_express.py).
"""

import re
from typing import Any, Final

import msgspec

from schemas.decisions import Recommendation
from serving.api.access import ADMITTED, Principal
from serving.api.limits import AwayError
from serving.api.lists import MOST, Wish, from_stored
from serving.api.parts import Parts

ROUTE: Final = "/v1/recommendations/{user_id}"
_PATH: Final = re.compile(rb"/v1/recommendations/([\w.~-]{1,128})(?:\?|\Z)", re.ASCII)
_LIMIT: Final = re.compile(rb"limit=(\d{1,2})\Z")

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Recommendation).decode


class Express:
    """Answers a request for a list where it can."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def list_for(self, about: dict[str, Any], headers: dict[bytes, bytes], who: Principal) -> bytes | None:
        """The body of the answer, or None where the request has to go the long way. `about` is its ASGI scope."""
        found = _PATH.match(about.get("raw_path") or b"")  # some servers leave the query in it
        if found is None or about["method"] != "GET" or b"origin" in headers:
            return None
        wish = _wish(about["query_string"])
        user_id = found[1].decode()
        may = user_id == who.user_id if who.user_id is not None else "lists" in who.scopes
        parts = self._parts
        if wish is None or not may or parts.doors.admit(who) > 0.0:
            return None
        about[ADMITTED] = True
        try:
            stored = await parts.redis.call(lambda: parts.decisions.recommendation(user_id))
        except AwayError:
            return None
        if stored is None:
            return None
        known = _decode(stored)
        if parts.storefront.is_ready and parts.clock_ms() - known.ts_ms >= parts.limits.list_fresh_ms:
            return None
        shown = from_stored(known, wish, parts, ())
        return None if shown is None else _encode(shown)


_USUAL: Final = Wish()


def _wish(query: bytes) -> Wish | None:
    if not query:
        return _USUAL
    limit = _LIMIT.match(query)
    return Wish(limit=int(limit[1])) if limit is not None and 1 <= int(limit[1]) <= MOST else None
