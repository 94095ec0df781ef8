"""`attune challenger`: boosted trees beside the learned blend, in shadow, and in its place by a switch."""

import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from attune.cli.failure import CommandError
from attune.cli.options import Bootstrap, Json, console, print_json, progress_console
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from evaluation.challenger import Shadow
    from processors.challenger_rows import ChallengerModel, ChallengerState

challenger = typer.Typer(
    help="Boosted trees beside the learned blend: fitted on its log, compared in shadow, served by a switch.",
    no_args_is_help=True,
)
HOUR_MS: Final = 3_600_000
FIRST: Final = "fit one with: attune challenger fit"


@challenger.command()
def fit(
    seed: Annotated[int, typer.Option(min=0, help="Of the samples that trees are grown on.")] = 0,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Fit a challenger on the examples that the log holds; from now on it is compared in shadow.

    A challenger that serves is replaced, and must be promoted anew.

    [bold]Examples[/bold]

      attune challenger fit

      attune challenger fit --seed 7 --json
    """
    settings = _settings(bootstrap)
    from streams.challenger_log import challenger_rows

    _show(_fit(settings, *challenger_rows(settings), *_shadowed(settings, None), seed), json)


@challenger.command()
def status(bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Compare blend and challenger on all that came since the fit. May be looked at as often as one likes.

    [bold]Examples[/bold]

      attune challenger status
    """
    settings = _settings(bootstrap)
    model, state = _rows(settings)
    _show(_told(model, state, _shadowed(settings, model)[0]), json)


@challenger.command()
def serve(
    force: Annotated[bool, typer.Option("--force", help="Although the comparison has not decided for it.")] = False,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Let the challenger rank, once the comparison has decided for it.

    [bold]Examples[/bold]

      attune challenger serve
    """
    settings = _settings(bootstrap)
    from evaluation.challenger import CHALLENGER

    model, state = _rows(settings)
    shadow, last = _shadowed(settings, model)
    winner = shadow.verdict().winner
    if winner != CHALLENGER and not force:
        said = f"the comparison says {winner}" if winner else "the comparison has not decided"
        raise CommandError(f"{said} after {shadow.compared} examples: see attune challenger status (or give --force)")
    _show(_changed(settings, "serve", model, state, shadow, last), json)


@challenger.command()
def rollback(bootstrap: Bootstrap = None, json: Json = False) -> None:
    """Let the blend rank again, at once.

    [bold]Examples[/bold]

      attune challenger rollback
    """
    settings = _settings(bootstrap)
    model, state = _rows(settings)
    shadow, last = _shadowed(settings, model)
    _show(_changed(settings, "rollback", model, state, shadow, last), json)


@challenger.command()
def keep(
    refit_h: Annotated[
        float, typer.Option("--refit-h", min=0.0, help="Fit anew whom nothing was decided for in so many hours.")
    ] = 24.0,
    look_s: Annotated[float, typer.Option("--look-s", min=0.1, help="Seconds between two looks.")] = 600.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end, for a scheduler.")] = False,
    bootstrap: Bootstrap = None,
    json: Json = False,
) -> None:
    """Fit, promote and roll back by the comparison alone, until stopped; says each change.

    A challenger that wins the comparison serves; one that serves and loses is rolled back; one for which nothing is
    decided within --refit-h is fitted anew. What somebody rolled back by hand does not serve again before that.

    [bold]Examples[/bold]

      attune challenger keep

      attune challenger keep --once --refit-h 12 --json
    """
    settings = _settings(bootstrap)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while True:
        told = _looked(settings, round(refit_h * HOUR_MS))
        if told is not None:
            _show(told, json)
        if once or stopping.wait(look_s):
            return


def _looked(settings: Settings, refit_ms: int) -> dict[str, Any] | None:
    """Make the change that is due, if one is."""
    from evaluation.challenger import next_change
    from streams.challenger_log import challenger_rows
    from streams.clock import wall_ms

    model, state = challenger_rows(settings)
    shadow, last = _shadowed(settings, model)
    due = next_change(state, shadow.verdict().winner, wall_ms(), refit_ms)
    if due == "fit":
        try:
            return _fit(settings, model, state, shadow, last, 0)
        except CommandError as too_few:
            progress_console().print(str(too_few))
            return None
    if due is None or model is None or state is None:
        return None
    return _changed(settings, due, model, state, shadow, last)


def _fit(
    settings: Settings,
    model: "ChallengerModel | None",
    state: "ChallengerState | None",
    shadow: "Shadow",
    last: int,
    seed: int,
) -> dict[str, Any]:
    from processors.challenger import fit as fit_trees
    from processors.challenger import identity_of
    from processors.challenger_rows import MODEL, STATE, ChallengerState
    from streams.challenger_log import publish
    from streams.clock import wall_ms

    last = max(last, model.offset if model else -1, state.offset if state else -1)
    try:
        fitted = fit_trees(shadow.tables, shadow.weights, last, seed)
    except ValueError as error:
        raise CommandError(str(error)) from None
    changed = ChallengerState(last, "fit", identity_of(fitted), False, wall_ms())
    publish(settings, {MODEL: fitted, STATE: changed})
    return _told(fitted, changed, None)


def _settings(bootstrap: str | None) -> Settings:
    settings = read_settings(bootstrap=bootstrap)
    if settings.pack.models != "blend":
        raise CommandError(f"the pack {settings.domain} has models = {settings.pack.models!r}: only the blend has one")
    return settings


def _rows(settings: Settings) -> "tuple[ChallengerModel, ChallengerState]":
    from streams.challenger_log import challenger_rows

    model, state = challenger_rows(settings)
    if model is None or state is None:
        raise CommandError(f"there is no challenger: {FIRST}")
    return model, state


def _shadowed(settings: Settings, model: "ChallengerModel | None") -> "tuple[Shadow, int]":
    """Both on the whole log, and the last offset read."""
    from evaluation.challenger import Shadow
    from processors.challenger import Challenger
    from streams.challenger_log import examples

    made = Challenger.of(model) if model is not None else None
    shadow, last = Shadow(settings.pack, made, model.offset if model is not None else -1), -1
    with progress_console().status("reading the log of examples"):
        for offset, example in examples(settings):
            shadow.take(example, offset)
            last = offset
    return shadow, last


def _changed(
    settings: Settings, change: str, model: "ChallengerModel", state: "ChallengerState", shadow: "Shadow", last: int
) -> dict[str, Any]:
    from processors.challenger import identity_of
    from processors.challenger_rows import STATE, ChallengerState
    from streams.challenger_log import publish
    from streams.clock import wall_ms

    verdict = shadow.verdict()
    estimate = verdict.difference
    changed = ChallengerState(
        offset=max(last, state.offset),
        change=change,
        model=identity_of(model),
        serves=change == "serve",
        at_ms=wall_ms(),
        n=verdict.n,
        difference=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        winner=verdict.winner,
    )
    publish(settings, {STATE: changed})
    return _told(model, changed, shadow)


def _told(model: "ChallengerModel", state: "ChallengerState", shadow: "Shadow | None") -> dict[str, Any]:
    import msgspec

    told = {
        "model": state.model,
        "serves": state.serves,
        "examples": model.examples,
        "fitted_to": model.offset,
        "bytes": len(model.trees),
        "last_change": {"change": state.change, "at_ms": state.at_ms, "winner": state.winner},
    }
    if shadow is not None:
        means = shadow.means()
        told["shadow"] = {
            "compared": shadow.compared,
            "blend": means[0] if means else None,
            "challenger": means[1] if means else None,
            **msgspec.to_builtins(shadow.verdict()),
        }
    return told


def _show(told: dict[str, Any], json: bool) -> None:
    if json:
        print_json(told)
        return
    out = console()
    out.print(
        f"challenger {told['model']}: {'serves' if told['serves'] else 'in shadow'}, {told['examples']:,} examples"
    )
    shadow = told.get("shadow")
    if shadow is None:
        return
    if not shadow["compared"]:
        out.print("nothing came since it was fitted: nothing to compare yet")
        return
    out.print(
        f"mean reciprocal rank on {shadow['compared']:,} later examples: "
        f"blend {shadow['blend']:.4f}, challenger {shadow['challenger']:.4f}"
    )
    interval = shadow["difference"]
    if interval is not None:
        out.print(f"blend - challenger {interval['value']:+.4f}, [{interval['low']:+.4f}, {interval['high']:+.4f}]")
    out.print(f"decided for the {shadow['winner']}" if shadow["winner"] else "not decided yet")
