"""What is remembered of one group on one partition: its last ten commits and ten minutes of samples."""

import msgspec

COMMITS = 10
"""Commits in the window of the status rules (Burrow's `intervals`)."""
TREND_S = 600
"""Seconds of samples kept for the sparkline and the rates."""
SPACING_MS = 30_000
"""Distance between kept samples; only the newest may be closer to the one before it."""


class Commit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A commit and the lag it left (None: the log's end at that time is not known)."""

    ts_ms: int
    offset: int
    lag: int | None


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Committed offset (or the log's start), end and readable lag of one moment."""

    ts_ms: int
    position: int
    end: int
    lag: int


class Window(msgspec.Struct):
    """The memory of one group on one partition; it travels as it is through the state file."""

    first_seen_ms: int
    committed: int | None = None
    rewound_from: int | None = None
    commits: list[Commit] = []
    samples: list[Sample] = []

    def commit(self, ts_ms: int, offset: int, lag: int | None) -> bool:
        """Add a commit; one that is not newer than the last is a repeat and ignored.

        >>> window = Window(first_seen_ms=0)
        >>> window.commit(1, 50, 0), window.commit(1, 50, 0), window.commit(2, 20, 30), window.rewound_from
        (True, False, True, 50)
        >>> window.commit(3, 60, 0), window.rewound_from
        (True, None)
        """
        if self.commits:
            last = self.commits[-1]
            if ts_ms < last.ts_ms or (ts_ms == last.ts_ms and offset == last.offset):
                return False
            if offset < last.offset:
                self.rewound_from = max(last.offset, self.rewound_from or 0)
        elif self.committed is not None and offset < self.committed:
            self.rewound_from = max(self.committed, self.rewound_from or 0)
        if self.rewound_from is not None and offset >= self.rewound_from:
            self.rewound_from = None
        self.commits.append(Commit(ts_ms, offset, lag))
        del self.commits[:-COMMITS]
        return True

    def sample(self, sample: Sample) -> None:
        """Add a sample, thinning to `SPACING_MS` and forgetting what is older than `TREND_S`."""
        kept = self.samples
        if kept and sample.ts_ms <= kept[-1].ts_ms:
            return
        if len(kept) >= 2 and kept[-1].ts_ms - kept[-2].ts_ms < SPACING_MS:
            kept[-1] = sample
        else:
            kept.append(sample)
        oldest = sample.ts_ms - TREND_S * 1000
        if kept[0].ts_ms < oldest:
            self.samples = [one for one in kept if one.ts_ms >= oldest]

    def caught_up(self, lag: int) -> None:
        """Nothing (or no more than allowed) is left to read: a step back is over, and the last commit left `lag`."""
        self.rewound_from = None
        if self.commits and self.commits[-1].lag != lag and self.commits[-1].offset == self.committed:
            last = self.commits[-1]
            self.commits[-1] = Commit(last.ts_ms, last.offset, lag)

    def last_seen_ms(self) -> int:
        """When it was last part of a sample."""
        return self.samples[-1].ts_ms if self.samples else self.first_seen_ms


def trend(samples: list[Sample], now_ms: int, buckets: int = 20) -> tuple[int | None, ...]:
    """Lag in `buckets` equal steps of the last `TREND_S`, the last known value carried on; None before the first.

    >>> trend([Sample(0, 0, 5, 5), Sample(300_000, 5, 6, 1)], 600_000, buckets=4)
    (5, 1, 1, 1)
    """
    out: list[int | None] = []
    step_ms = TREND_S * 1000 // buckets
    index, value = 0, None
    for bucket in range(1, buckets + 1):
        until_ms = now_ms - TREND_S * 1000 + bucket * step_ms
        while index < len(samples) and samples[index].ts_ms <= until_ms:
            value = samples[index].lag
            index += 1
        out.append(value)
    return tuple(out)
