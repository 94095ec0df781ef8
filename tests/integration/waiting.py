"""The one place in the tests where time passes: tests never sleep, they say what they wait for."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout_s: float = 10.0, every_s: float = 0.05, what: str = "") -> T:
    """Ask `condition` until its answer is true, and return that answer.

    An `AssertionError` counts as "not yet", so the condition may assert. After `timeout_s` the last assertion is
    raised again, or a `TimeoutError` that names `what` and the last answer.

    >>> eventually(lambda: 3)
    3
    >>> eventually(lambda: 0, timeout_s=0.01, what="a miracle")
    Traceback (most recent call last):
    TimeoutError: not within 0.01 s: a miracle (last answer: 0)
    """
    pause = threading.Event()
    end = time.monotonic() + timeout_s
    while True:
        failure: AssertionError | None = None
        answer: T | None = None
        try:
            answer = condition()
        except AssertionError as error:
            failure = error
        if answer:
            return answer
        if time.monotonic() >= end:
            if failure is not None:
                raise failure
            name = what or getattr(condition, "__name__", "condition")
            raise TimeoutError(f"not within {timeout_s:g} s: {name} (last answer: {answer!r})")
        pause.wait(every_s)


def let_pass(seconds: float, why: str) -> None:
    """Let real time pass where a fault *is* a length of time, as with a process stopped for 45 s."""
    if not why:
        raise ValueError("say why time has to pass; to wait for something use eventually()")
    threading.Event().wait(seconds)
