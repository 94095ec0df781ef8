"""Who may do what over HTTP: the scopes of a token, and a token as the settings know it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Scope = Literal["lists", "events", "items", "people", "erasure", "tokens", "metrics"]
"""`lists` anyone's lists, searches and send times · `events` anyone's behaviour · `items` the catalogue ·
`people` what is kept of a person · `erasure` forget people · `tokens` hand out user tokens to browsers ·
`metrics` the process's own."""


class Grant(Struct, frozen=True, forbid_unknown_fields=True):
    """One bearer token. The settings hold its SHA-256 alone, as 64 hex digits: `printf TOKEN | sha256sum`."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    scopes: tuple[Scope, ...]
    rate_per_s: Annotated[float, Meta(gt=0.0, le=1e6)] = 1_000.0
    """Requests a second over time, in each process; twice as many may come at once."""
