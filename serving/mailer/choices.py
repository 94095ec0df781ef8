"""What someone chose on the preference page, as one event; nothing chosen is no event.

Only what differs from what the page showed is written, so that a choice overrules a producer's row in no more than it
is about.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from schemas.behaviour import Frequency, Preference, Unsubscribe
from serving.mailer.announcer import fresh_id
from serving.mailer.known import Reader
from serving.mailer.one_line import one_line

PAUSE_MS: Final = 30 * 86_400_000
MAX_WORDS: Final = 16
FEWER: Final[dict[str, Frequency]] = {"instant": "daily", "daily": "weekly", "weekly": "weekly"}
DEFAULT: Final = "daily"


class Choice(Struct, frozen=True):
    """What to publish, and which word the page says then."""

    done: str
    topic: Literal["preferences", "unsubscribes"] = "preferences"
    event: Preference | Unsubscribe | None = None


class Form(Struct, frozen=True):
    """What the page shows: how things stand."""

    frequency: str
    titles: tuple[str, ...]
    places: tuple[str, ...]
    min_salary: float | None
    remote: bool
    paused: bool
    unsubscribed: bool


def shown(reader: Reader, now_ms: int) -> Form:
    """How things stand for a person; a frequency nobody chose is daily."""
    frequency = reader.said("frequency")
    return Form(
        frequency=frequency if frequency in FEWER else DEFAULT,
        titles=tuple(reader.said("titles") or ()),
        places=tuple(reader.said("places") or ()),
        min_salary=reader.said("min_salary") or None,
        remote=bool(reader.said("remote")),
        paused=reader.paused(now_ms),
        unsubscribed=reader.unsubscribed or reader.said("email_opt_in") is False,
    )


def choose(form: Mapping[str, str], reader: Reader, user_id: str, send_id: str, now_ms: int) -> Choice:
    """Read a form that was sent. What cannot be read is left as it was."""
    before = shown(reader, now_ms)

    def preference(**fields: Any) -> Preference:
        return Preference(event_id=fresh_id("preference"), user_id=user_id, ts_ms=now_ms, **fields)

    match form.get("action"):
        case "unsubscribe":
            event = Unsubscribe(event_id=fresh_id("unsubscribe"), user_id=user_id, ts_ms=now_ms, send_id=send_id)
            return Choice("unsubscribed", "unsubscribes", event)
        case "fewer":
            return Choice("fewer", event=preference(frequency=FEWER[before.frequency]))
        case "pause":
            return Choice("paused", event=preference(pause_until_ms=now_ms + PAUSE_MS))
        case "resume":
            return Choice("resumed", event=preference(frequency=before.frequency, pause_until_ms=now_ms))
        case "save":
            changed = _changed(form, before)
            return Choice("saved", event=preference(**changed) if changed else None)
        case _:
            return Choice("failed")


def _changed(form: Mapping[str, str], before: Form) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if form.get("frequency") in FEWER and form["frequency"] != before.frequency:
        changed["frequency"] = form["frequency"]
    for field in ("titles", "places"):
        if field in form and (words := _words(form[field])) != getattr(before, field):
            changed[field] = words
    amount = _amount(form["min_salary"]) if "min_salary" in form else None
    if amount is not None and amount != (before.min_salary or 0.0):
        changed["min_salary"] = amount
    if "remote_asked" in form and (remote := "remote" in form) != before.remote:
        changed["remote"] = remote
    return changed


def _words(text: str) -> tuple[str, ...]:
    r"""Words of a list with commas, each once.

    >>> _words("Nurse, Care  worker,, Nurse\n")
    ('Nurse', 'Care worker')
    """
    words = dict.fromkeys(one_line(word, 100) for word in text.split(","))
    return tuple(word for word in words if word)[:MAX_WORDS]


def _amount(text: str) -> float | None:
    """A sum as people type it; nothing typed is none wanted.

    >>> _amount("52,000"), _amount(""), _amount("much")
    (52000.0, 0.0, None)
    """
    cleaned = text.replace(",", "").replace(" ", "").replace("€", "").replace("$", "")
    try:
        amount = float(cleaned or 0.0)
    except ValueError:
        return None
    return amount if math.isfinite(amount) and 0.0 <= amount <= 1e9 else None
