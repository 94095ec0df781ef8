"""A small client of the HTTP API: typed answers, retries with pauses that double, batches of any length.

AttuneError        what every error here is
  Refused          the API said no: `status`, `detail`, `errors` name the fields
    EventsRefused  some events cannot be used; the others are in Kafka
  Away             nothing answers, or it says 429 or 503, however often it was asked

Everything that this client sends may be sent again: events carry an id, and the rest says what is to be.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

MOST_EVENTS: Final = 1_000
RETRIED: Final = frozenset({429, 502, 503, 504})
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0

Event = tuple[str, Mapping[str, Any]]
"""A topic and a value, as `docs/topics.txt` has them."""
Answer = TypeVar("Answer")


class AttuneError(Exception):
    """Something did not work; the message is one line."""


class FieldError(Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    reason: str
    index: int | None = None
    event_id: str | None = None


class Refused(AttuneError):
    """The API said no, and would again."""

    def __init__(self, status: int, detail: str, errors: tuple[FieldError, ...], request_id: str | None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail, self.errors, self.request_id = status, detail, errors, request_id


class EventsRefused(Refused):
    """Some events cannot be used (`errors`, by `index` in what was given); `accepted` others are in Kafka."""

    accepted = 0


class Away(AttuneError):
    """Nothing answered, however often it was asked."""


class Place(Struct, frozen=True):
    """One place of a list. `item` is what a page shows of the item."""

    item_id: str
    rank: int
    score: float
    source: str
    reasons: tuple[str, ...]
    propensity: float = 1.0
    item: dict[str, Any] | None = None


class Listing(Struct, frozen=True):
    """A list; where it comes from and how old it is, as docs/api.md explains."""

    user_id: str
    rec_id: str
    ts_ms: int
    age_ms: int
    origin: str
    stale: bool
    degraded: tuple[str, ...]
    items: tuple[Place, ...]


class Neighbour(Struct, frozen=True):
    """An item beside another."""

    item_id: str
    score: float
    source: str
    item: dict[str, Any] | None = None


class _Neighbours(Struct, frozen=True):
    items: tuple[Neighbour, ...]


class Erasure(Struct, frozen=True):
    """How far an erasure has come: `requested`, `accepted`, `complete`."""

    receipt_id: str
    stage: str
    ts_ms: int | None = None


class UserToken(Struct, frozen=True):
    """A token for one person's browser."""

    token: str
    expires_ms: int


class _Problem(Struct):
    title: str = ""
    detail: str = ""
    request_id: str | None = None
    errors: tuple[FieldError, ...] = ()
    accepted: int = 0


def new_event_id() -> str:
    """An id for an event, to be made where it happens and kept for every retry."""
    return uuid.uuid4().hex


class Attune:
    """The API at `url`, asked with `token`. A context manager; not for several threads at once.

    `tries` is how often a request is made before `Away`; `pause` waits between two tries, in seconds.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 10.0,
        tries: int = 5,
        pause: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if tries < 1:
            raise ValueError(f"tries must be at least 1, not {tries}")
        self._tries = tries
        self._pause = pause
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout_s, transport=transport
        )

    def recommendations(self, user_id: str, **parameters: Any) -> Listing:
        """What to show now: `limit`, `surface`, `exclude`, `context_item`, `filter`, `near`, `explain`."""
        return self._ask("GET", f"/v1/recommendations/{_path(user_id)}", Listing, params=parameters)

    def similar(self, item_id: str, limit: int = 10) -> tuple[Neighbour, ...]:
        """Items like this one, the closest first."""
        return self._ask("GET", f"/v1/items/{_path(item_id)}/similar", _Neighbours, params={"limit": limit}).items

    def complements(self, item_id: str, limit: int = 10) -> tuple[Neighbour, ...]:
        """Items that people deal with beside this one."""
        return self._ask("GET", f"/v1/items/{_path(item_id)}/complements", _Neighbours, params={"limit": limit}).items

    def send_time(self, user_id: str) -> dict[str, Any]:
        """When to write to a person, or why not to."""
        return self._ask("GET", f"/v1/send-times/{_path(user_id)}", dict)

    def send(self, events: Iterable[Event]) -> int:
        """Publish events, in batches; returns how many are in Kafka. Raises EventsRefused after all batches went."""
        accepted, wrong, status, detail, request_id = 0, list[FieldError](), 422, "", None
        for number, batch in enumerate(_batches(events)):
            body = [{"topic": topic, "value": value} for topic, value in batch]
            try:
                self._ask("POST", "/v1/events", dict, content=msgspec.json.encode(body))
                accepted += len(body)
            except EventsRefused as refused:
                accepted += refused.accepted
                status, detail, request_id = refused.status, refused.detail, refused.request_id
                wrong += [
                    msgspec.structs.replace(one, index=(one.index or 0) + number * MOST_EVENTS)
                    for one in refused.errors
                ]
        if wrong:
            error = EventsRefused(status, detail, tuple(wrong), request_id)
            error.accepted = accepted
            raise error
        return accepted

    def view(self, user_id: str, item_id: str, **more: Any) -> None:
        """Someone looked at an item: `dwell_ms`, `origin`, `session_id` …"""
        self.send([("views", _event(user_id, item_id=item_id, **more))])

    def save(self, user_id: str, item_id: str, **more: Any) -> None:
        """Someone kept an item (`kind="cart"`: put it into the cart), or with `undo=True` took that back."""
        self.send([("saves", _event(user_id, item_id=item_id, **more))])

    def apply(self, user_id: str, item_id: str, **more: Any) -> None:
        """An application, or a purchase: `value`, `quantity`, `stage` …"""
        self.send([("applies", _event(user_id, item_id=item_id, **more))])

    def dismiss(self, user_id: str, item_id: str, reason: str = "other", **more: Any) -> None:
        """Someone does not want to see an item again."""
        self.send([("dismissals", _event(user_id, item_id=item_id, reason=reason, **more))])

    def put_item(self, item_id: str, **item: Any) -> None:
        """Add an item, or replace all that was said of it."""
        self._ask("PUT", f"/v1/items/{_path(item_id)}", dict, content=msgspec.json.encode(item))

    def retire_item(self, item_id: str) -> None:
        """An item is gone."""
        self._ask("DELETE", f"/v1/items/{_path(item_id)}", dict)

    def person(self, user_id: str) -> dict[str, Any]:
        """Everything kept about a person."""
        return self._ask("GET", f"/v1/users/{_path(user_id)}", dict)

    def erase(self, user_id: str) -> Erasure:
        """Forget a person; ask for the receipt with `erasure`."""
        return self._ask("DELETE", f"/v1/users/{_path(user_id)}", Erasure)

    def erasure(self, receipt_id: str) -> Erasure:
        """How far an erasure has come; `requested` as long as no worker has taken it up."""
        try:
            return self._ask("GET", f"/v1/erasures/{_path(receipt_id)}", Erasure)
        except Refused as refused:
            if refused.status != 404:
                raise
            return Erasure(receipt_id, "requested")

    def user_token(self, user_id: str, ttl_s: int | None = None) -> UserToken:
        """A signed token for one person's browser."""
        parameters = {} if ttl_s is None else {"ttl_s": ttl_s}
        return self._ask("POST", f"/v1/user-tokens/{_path(user_id)}", UserToken, params=parameters)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, kind: type[Answer], **request: Any) -> Answer:
        wait_s, why = FIRST_PAUSE_S, ""
        for attempt in range(self._tries):
            try:
                answer = self._client.request(method, path, **request)
            except httpx.TransportError as error:
                why, told_s = f"{self._client.base_url} does not answer ({error!r})", 0.0
            else:
                if answer.status_code < 400:
                    return msgspec.json.decode(answer.content, type=kind)
                if answer.status_code not in RETRIED:
                    raise _refusal(answer)
                why, told_s = f"{answer.status_code} from {path}", _told_s(answer)
            if attempt + 1 < self._tries:
                self._pause(min(max(wait_s, told_s), LONGEST_PAUSE_S))
                wait_s *= 2
        raise Away(f"{why}, asked {self._tries} times")


def _refusal(answer: httpx.Response) -> Refused:
    try:
        found = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.MsgspecError:
        found = _Problem(answer.reason_phrase)
    kind = EventsRefused if answer.url.path == "/v1/events" and found.errors else Refused
    error = kind(answer.status_code, found.detail or found.title, found.errors, found.request_id)
    if isinstance(error, EventsRefused):
        error.accepted = found.accepted
    return error


def _told_s(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0


def _event(user_id: str, **more: Any) -> dict[str, Any]:
    return {"event_id": new_event_id(), "user_id": user_id, "ts_ms": time.time_ns() // 1_000_000, **more}


def _batches(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    given = iter(events)
    while batch := tuple(islice(given, MOST_EVENTS)):
        yield batch


def _path(name: str) -> str:
    return quote(name, safe="")
