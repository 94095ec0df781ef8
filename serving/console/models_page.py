"""The page of the models: live quality, who ranks, experiments; and what an operator may take back there."""

from collections.abc import Callable
from typing import Any, Final

from litestar import get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template
from msgspec import Struct

from serving.console.live import LIVE, chart_json
from serving.console.lookups import Lookups, UnavailableError
from serving.console.pages import Asked, Form, shown
from serving.console.state import actor_of, address_of, console_of, session_of

MAX_SUBJECT: Final = 128


class Undo(Struct, frozen=True):
    """Something that can be taken back, as it is asked for; `{}` is what it is about."""

    action: str
    question: str
    meaning: str
    verb: str
    do: Callable[[Lookups], Callable[[str], str]]


UNDO: Final = {
    "rollback": Undo(
        "/models/rollback", "Let the blend rank again?",
        "The challenger {} goes back into shadow. Workers follow within a moment, and lists are ranked by the "
        "learner's blend from then on. It is promoted again by attune challenger serve.",
        "Roll back", lambda lookups: lookups.rollback,
    ),
    "stop-experiment": Undo(
        "/models/stop-experiment", "Let nobody else in?",
        "The experiment {} is stopped for good: everybody gets the lists of the pack within a second, and what those "
        "exposed do until their window closes still counts.",
        "Stop it", lambda lookups: lookups.stop_experiment,
    ),
}  # fmt: skip


@get("/models")
async def models(request: Asked, done: FromQuery[str] = "") -> Template:
    """Live quality against popularity; what ranks, and the experiments."""
    session_of(request)
    return await _shown(request, done=done)


async def _shown(
    request: Asked, status: int = 200, *, done: str = "", trouble: str = "", confirm: dict[str, str] | None = None
) -> Template:
    console = console_of(request)
    context = LIVE["models"](console)
    versions = None
    if confirm is None:
        try:
            versions = await console.ask(console.lookups.versions)
        except UnavailableError as error:
            trouble = trouble or f"Who ranks is unknown: {error}"
    more: dict[str, Any] = {"versions": versions, "done": done, "trouble": trouble, "confirm": confirm}
    return shown(request, "models", {**context, "chart_json": chart_json(context), **more}, status)


@post("/models/rollback")
async def rollback(request: Asked, data: Form) -> Template | Redirect:
    """Ask whether the blend shall rank again; with `confirmed`, do it."""
    return await _undo(request, data, "rollback")


@post("/models/stop-experiment")
async def stop_experiment(request: Asked, data: Form) -> Template | Redirect:
    """Ask whether an experiment shall be stopped; with `confirmed`, do it."""
    return await _undo(request, data, "stop-experiment")


async def _undo(request: Asked, data: dict[str, Any], name: str) -> Template | Redirect:
    console, undo = console_of(request), UNDO[name]
    subject = str(data.get("subject", ""))[:MAX_SUBJECT]
    session = await actor_of(request, name, subject, data.get("csrf"))
    if data.get("confirmed") != "yes":
        asked = {"action": undo.action, "question": undo.question, "verb": undo.verb, "subject": subject}
        return await _shown(request, confirm={**asked, "meaning": undo.meaning.format(subject)})
    who = session.role, address_of(request)
    await console.ask(console.audit.write, *who, name, subject, "asked")
    try:
        outcome = await console.ask(undo.do(console.lookups), subject)
    except UnavailableError as error:
        await console.ask(console.audit.write, *who, name, subject, f"failed: {error}")
        return await _shown(request, 503, trouble=str(error))
    await console.ask(console.audit.write, *who, name, subject, outcome)
    return Redirect("/models", query_params={"done": outcome[0].upper() + outcome[1:]})
