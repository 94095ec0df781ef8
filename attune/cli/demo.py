"""`attune demo`: the whole system on this machine, and one person's list before and after they save something."""

import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from attune.cli.options import Json, console, print_json

if TYPE_CHECKING:
    from attune.demo.story import Outcome, Story

PULSE_S: Final = 1.0
PIPED_PULSE_S: Final = 10.0
ENDS: Final = (signal.SIGTERM, signal.SIGINT)


def demo(
    seed: Annotated[int, typer.Option(min=0, help="The same seed tells the same story.")] = 1,
    seconds: Annotated[
        float | None, typer.Option(min=1.0, help="End by itself after so long (the story goes first).")
    ] = None,
    json: Json = False,
) -> None:
    """Watch one person's recommendations change because of what that person did.

    Starts an embedded Kafka (librdkafka's mock cluster) and Redis, a worker, the learner and the sink as real
    processes, and a simulated job market that feeds them live; prints the address of a page where you can click
    yourself, in the job market or in a shop, and of the console that on-call looks at. Needs no Docker, no Java;
    nothing is kept. Ctrl-C ends it.

    [bold]Examples[/bold]

      attune demo

      attune demo --seed 7 --seconds 20 --json
    """
    from rich.console import Console

    from attune.demo.screen import WIDTH, Screen, pulse
    from attune.demo.stage import Stage
    from attune.demo.story import Story
    from streams.clock import boottime_s

    started_s = boottime_s()
    for number in ENDS:  # a shell's background job starts with SIGINT ignored
        signal.signal(number, _interrupt)
    out = console() if console().is_terminal else Console(width=WIDTH)
    screen = Screen(Console(quiet=True) if json else out)
    try:
        with Stage(page=not json) as stage:
            story = Story(stage, seed, screen.show, page=not json)
            try:
                outcome = story.tell()
                end_s = None if seconds is None else started_s + seconds
                _go_on(story, end_s, None if json else _pulse(out, pulse), boottime_s)
                summary = _summary(story, outcome, boottime_s() - started_s)
            finally:
                story.close()
    except KeyboardInterrupt:
        out.print("\nstopped", style="dim")
        return
    if json:
        print_json(summary)


def _interrupt(*_: Any) -> None:
    """End, once: a second signal, as of `make` and a shell at one time, must not break into what ends everything."""
    for number in ENDS:
        signal.signal(number, lambda *_: None)  # SIG_IGN would have Python complain of one that is under way already
    raise KeyboardInterrupt


Show = Callable[["Story"], None]


def _pulse(out: Any, pulse: Callable[..., Any]) -> Show:
    def show(story: "Story") -> None:
        crowd, watch = story.crowd, story.watch
        if crowd is not None and watch is not None:
            line = pulse(crowd.events, watch.recommendations, watch.dead_letters, watch.latency_ms())
            out.print(line, end="\r" if out.is_terminal else "\n", soft_wrap=True)

    out.print()
    return show


def _go_on(story: "Story", end_s: float | None, show: Show | None, clock: Callable[[], float]) -> None:
    """Let the market go on until the end, or Ctrl-C."""
    pause = threading.Event()
    every_s = PULSE_S if console().is_terminal or end_s is not None else PIPED_PULSE_S
    while end_s is None or clock() < end_s:
        if show is not None:
            show(story)
        pause.wait(every_s if end_s is None else max(min(every_s, end_s - clock()), 0.0))


def _summary(story: "Story", outcome: "Outcome", took_s: float) -> dict[str, Any]:
    import msgspec

    crowd, watch = story.crowd, story.watch
    told: dict[str, Any] = msgspec.to_builtins(outcome)
    return {
        "events_in": crowd.events if crowd is not None else 0,
        "recommendations_out": watch.recommendations if watch is not None else 0,
        "latency_ms": watch.latency_ms() if watch is not None else {},
        "dead_letters": watch.dead_letters if watch is not None else 0,
        "seconds": round(took_s, 1),
        **told,
    }
