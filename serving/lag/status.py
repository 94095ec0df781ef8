"""Burrow's status rules, each a function of its own; REWIND is asked before OK.

After https://github.com/linkedin/Burrow/wiki/Consumer-Lag-Evaluation-Rules with two changes (OPERATIONS §1): a rewind
from zero lag is seen (Burrow calls it OK because the window holds a zero), and it is held until the group has recovered
or caught up (Burrow forgets it after ten commits, which is 2.5 s for a worker that flushes four times a second).
"""

import enum
import itertools
from collections.abc import Sequence

import msgspec

from serving.lag.window import Commit

SILENCE_MS = 120_000
"""A committed group of which no commit has been seen for this long counts as stopped."""


class Status(enum.IntEnum):
    """The value of `kafka_consumergroup_partition_status`."""

    OK = 0
    WARN = 1
    REWIND = 2
    STALL = 3
    STOP = 4


class Evidence(msgspec.Struct, frozen=True):
    """All that the rules look at.

    `position` is the committed offset (the log's start when there is none); `recent_ends` and `recent_lags` are what
    the last 100 s of samples saw; `rewound_from` is the highest offset committed before an unrecovered step back;
    `silent_ms` is how long it is known that there was no commit, used when the window is empty.
    """

    now_ms: int
    lag: int
    position: int
    commits: Sequence[Commit]
    recent_ends: Sequence[int] = ()
    recent_lags: Sequence[int] = ()
    rewound_from: int | None = None
    members: int | None = None
    silent_ms: int = 0
    allowed: int = 0


def has_stopped(commits: Sequence[Commit], now_ms: int, silent_ms: int = 0, members: int | None = None) -> bool:
    """The last commit is longer ago than the window is wide.

    Without any commit: nobody is there to make one, or none came for `SILENCE_MS`.
    """
    if not commits:
        return members == 0 or silent_ms >= SILENCE_MS
    return now_ms - commits[-1].ts_ms > commits[-1].ts_ms - commits[0].ts_ms


def had_recent_zero_lag(position: int, recent_ends: Sequence[int], recent_lags: Sequence[int] = ()) -> bool:
    """A recent end offset was already reached by the committed one: what is new came only just now."""
    return any(end <= position for end in recent_ends) or any(lag <= 0 for lag in recent_lags)


def has_rewound(position: int, commits: Sequence[Commit], rewound_from: int | None) -> bool:
    """The committed offset went back and has not come back to where it was."""
    highest = max((commit.offset for commit in commits), default=position)
    before = max(highest if _went_back(commits) else position, rewound_from or 0)
    return position < before


def was_within_allowed(commits: Sequence[Commit], allowed: int) -> bool:
    """Some commit of the window had caught up (as far as is allowed)."""
    return any(commit.lag is not None and commit.lag <= allowed for commit in commits)


def has_stalled(commits: Sequence[Commit]) -> bool:
    """It commits, but always the same offset."""
    return bool(commits) and all(commit.offset == commits[0].offset for commit in commits)


def never_decreased(commits: Sequence[Commit]) -> bool:
    """It moves, but from no commit to the next did the lag shrink."""
    lags = [commit.lag for commit in commits if commit.lag is not None]
    return bool(lags) and all(later >= earlier for earlier, later in itertools.pairwise(lags))


def status_of(seen: Evidence) -> Status:
    """The rules in their order: STOP, REWIND, OK, STALL, WARN; all only while the lag exceeds what is allowed."""
    if seen.lag <= seen.allowed:
        return Status.OK
    if has_stopped(seen.commits, seen.now_ms, seen.silent_ms, seen.members) and not had_recent_zero_lag(
        seen.position, seen.recent_ends, seen.recent_lags
    ):
        return Status.STOP
    if has_rewound(seen.position, seen.commits, seen.rewound_from):
        return Status.REWIND
    if was_within_allowed(seen.commits, seen.allowed):
        return Status.OK
    if has_stalled(seen.commits):
        return Status.STALL
    if never_decreased(seen.commits):
        return Status.WARN
    return Status.OK


def _went_back(commits: Sequence[Commit]) -> bool:
    return any(later.offset < earlier.offset for earlier, later in itertools.pairwise(commits))
