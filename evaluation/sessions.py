"""Protocol P2, sessions: learn from one file, then predict the last item of each line of another (MODELS §1).

A line is a session, item ids separated by blanks. The train file is learned in one pass in its own order; a test line
is lived through by a person of its own up to its last item, which is the target; nothing is learned from test. The
files have no times: one event a second, in test as in train, each test line from the end of train on.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

from evaluation.baselines import Baselines
from evaluation.driver import Driver
from evaluation.judged import Judged
from evaluation.listing import ask, judging_pack
from evaluation.metrics import rank_in_list
from evaluation.replay_file import Progress
from processors.pack import Pack
from processors.randomness import Randomness
from schemas.behaviour import View
from schemas.catalogue import Item
from schemas.fields import MAX_ID_CHARS

TICK_MS: Final = 1_000
START_MS: Final = 1_000_000_000_000
_SHOW_EVERY: Final = 256


class SessionsError(ValueError):
    """A session file cannot be used; the message names file and line."""


def read_sessions(path: Path) -> list[list[str]]:
    """The sessions of a file, `.gz` allowed. Raises OSError, or SessionsError for an id that is too long."""
    opener = gzip.open if path.suffix == ".gz" else open
    sessions: list[list[str]] = []
    known: dict[str, str] = {}
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            ids = line.split()
            if any(len(item_id) > MAX_ID_CHARS for item_id in ids):
                raise SessionsError(f"{path}, line {number}: an id is longer than {MAX_ID_CHARS} characters")
            if ids:
                sessions.append([known.setdefault(item_id, item_id) for item_id in ids])
    if not sessions:
        raise SessionsError(f"{path}: no sessions")
    return sessions


def judge_sessions(
    train: list[list[str]],
    test: list[list[str]],
    pack: Pack,
    *,
    baselines: bool = True,
    progress: Progress | None = None,
) -> Judged:
    """Run the protocol. Test lines of fewer than two items have nothing to predict and are passed over; a target that
    train does not hold is counted (`never_seen`), not judged.
    """
    run = _Run(pack, baselines)
    total = sum(map(len, train)) + len(test)
    done = shown = 0
    for place, session in enumerate(train):
        run.learn(f"train-{place}", session)
        done += len(session)
        if progress is not None and done - shown >= _SHOW_EVERY:
            shown = done
            progress(done, total)
    run.close()
    for place, session in enumerate(test):
        run.predict(f"test-{place}", session)
        done += 1
        if progress is not None and done - shown >= _SHOW_EVERY:
            shown = done
            progress(done, total)
    return run.judged


class _Run:
    def __init__(self, pack: Pack, baselines: bool) -> None:
        self.judged = Judged()
        self._driver = Driver(judging_pack(pack))
        self._baselines = Baselines() if baselines else None
        self._now_ms = self._end_ms = START_MS
        self._items: set[str] = set()
        self._events = 0

    def learn(self, user_id: str, session: list[str]) -> None:
        driver = self._driver
        for item_id in session:
            self._now_ms += TICK_MS
            if item_id not in self._items:
                self._items.add(item_id)
                driver.put_item(Item(item_id=item_id))
            self._view(user_id, item_id)
            self.judged.events += 1
            if self._baselines is not None:
                self._baselines.learn(user_id, item_id, self._now_ms)
        driver.catch_up(self._now_ms)  # nobody else acts meanwhile
        self._leave(user_id)

    def close(self) -> None:
        """Training is over."""
        self._driver.learns = False
        self._end_ms = self._now_ms

    def predict(self, user_id: str, session: list[str]) -> None:
        judged, driver = self.judged, self._driver
        if len(session) < 2:
            return
        *before, target = session
        if target not in self._items:
            judged.never_seen += 1
            return
        self._now_ms = self._end_ms
        for item_id in before:
            self._now_ms += TICK_MS
            self._view(user_id, item_id)
            if self._baselines is not None and item_id in self._items:
                self._baselines.visit(user_id, item_id, self._now_ms)
        self._now_ms += TICK_MS
        profile = driver.profiles[user_id.encode()]
        listed = ask(profile, self._now_ms, driver.replica, Randomness(f"list/{user_id}"))
        judged.add(
            rank_in_list(listed, target),
            person=len(judged.rank),
            event=judged.events + len(judged.rank),
            earlier=len(before),
            absence_ms=0,
            segment="",
            baselines=(
                self._baselines.ranks(user_id, target, self._now_ms, "any") if self._baselines is not None else ()
            ),
        )
        self._leave(user_id)

    def _view(self, user_id: str, item_id: str) -> None:
        self._events += 1
        view = View(event_id=f"v{self._events}", user_id=user_id, item_id=item_id, ts_ms=self._now_ms)
        self._driver.take("views", user_id.encode(), view, self._now_ms)

    def _leave(self, user_id: str) -> None:
        """Nobody comes back in these files."""
        self._driver.forget(user_id.encode())
        if self._baselines is not None:
            self._baselines.leave(user_id)
