"""One sentence: what is wrong now, since when, who is affected, what to do. Pure; the worst thing wins."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from serving.console.lag_feed import View, troubled
from serving.console.objective import Window
from serving.console.words import span
from serving.console.workers import Workers
from serving.lag.row import LagRow
from serving.lag.status import Status

Level = Literal["good", "warn", "bad"]
STALE_S = 30.0


class Verdict(Struct, frozen=True):
    """`runbook` is the alert's name in docs/runbook; `first` the first command to type."""

    level: Level
    sentence: str
    affected: str = ""
    since_s: float | None = None
    runbook: str = ""
    first: str = ""


def verdict(lag: View, workers: Workers, windows: Sequence[Window], now_s: float) -> Verdict:
    """What on-call should know first."""
    for found in (
        _kafka(lag, now_s),
        _workers(workers),
        _standing(lag),
        _rewound(lag),
        _lost(lag),
        _redis(workers),
        _late(windows),
        _recovering(workers),
        _growing(lag),
    ):
        if found is not None:
            return found
    return Verdict("good", "Everything is on time.", "No partition lags, every process works, decisions are fresh.")


def _kafka(lag: View, now_s: float) -> Verdict | None:
    if not lag.error or (lag.at_s == 0.0 and not lag.error_since_s):
        return None
    if lag.error == "no sample yet":
        return Verdict("warn", "The first look at Kafka is still under way.")
    seen = "it was never reached" if not lag.at_s else f"figures are {now_s - lag.at_s:.0f} s old"
    return Verdict(
        "bad", f"Kafka does not answer: {lag.error}.", f"Nobody gets new lists; {seen}.", lag.error_since_s or None,
        "CollectorStale", "attune lag",
    )  # fmt: skip


def _workers(workers: Workers) -> Verdict | None:
    away = [page for page in workers.pages if not page.answers]
    if away and away[0].error != "not asked yet":
        names = ", ".join(page.address for page in away)
        return Verdict(
            "bad", f"{len(away)} of {len(workers.pages)} workers do not answer: {names}.",
            "Where their partitions have no other owner, people get no new lists.",
            min(page.since_s for page in away) or None, "PartitionStands", f"curl http://{away[0].address}/healthz",
        )  # fmt: skip
    down = [found for found, value in workers.find("attune_child_up") if not value]
    if down:
        roles = ", ".join(sorted({found["role"] for found in down}))
        return Verdict(
            "bad", f"{_count(len(down), 'process')} down: {roles}.", "The supervisor starts it again.",
            runbook="ChildKeepsEnding", first="curl http://WORKER/healthz",
        )  # fmt: skip
    return None


def _standing(lag: View) -> Verdict | None:
    rows = [row for row in troubled(lag.rows) if row.status >= Status.STALL]
    if not rows:
        return None
    word = "has stopped" if rows[0].status is Status.STOP else "commits, but does not move"
    return Verdict(
        "bad", f"{rows[0].group} {word} on {_places(rows)}; {_behind(rows)}.", _people(rows),
        min(lag.since_s.get((row.group, row.topic, row.partition), lag.at_s) for row in rows),
        "PartitionStands", f"attune lag --group {rows[0].group}",
    )  # fmt: skip


def _rewound(lag: View) -> Verdict | None:
    rows = [row for row in troubled(lag.rows) if row.status is Status.REWIND]
    if not rows:
        return None
    return Verdict(
        "bad", f"{rows[0].group} went back on {_places(rows)}; {_behind(rows)}.",
        "Profiles are safe, what was applied is not applied again; new lists wait until it has caught up.",
        min(lag.since_s.get((row.group, row.topic, row.partition), lag.at_s) for row in rows),
        "OffsetRewound", f"attune lag --group {rows[0].group}",
    )  # fmt: skip


def _lost(lag: View) -> Verdict | None:
    rows = [row for row in lag.rows if row.lost_records]
    if not rows:
        return None
    lost = sum(row.lost_records for row in rows)
    return Verdict(
        "bad", f"Retention took {lost:,} records before {rows[0].group} had read them, on {_places(rows)}.",
        "What these people did is not in their profiles.", None, "RecordsLost", f"attune lag --group {rows[0].group}",
    )  # fmt: skip


def _redis(workers: Workers) -> Verdict | None:
    if not any(value == 0 for _, value in workers.find("attune_redis_up")):
        return None
    return Verdict(
        "warn", "The sink cannot write to Redis.", "Sites show lists from before; Kafka has everything.", None,
        "RedisAway", "redis-cli ping",
    )  # fmt: skip


def _late(windows: Sequence[Window]) -> Verdict | None:
    burns = [window.burn for window in windows]
    if not burns or any(burn is None or burn <= 1.0 for burn in burns):
        return None
    late = max(window.late or 0.0 for window in windows)
    return Verdict(
        "bad" if min(burn or 0.0 for burn in burns) > 6 else "warn",
        f"{late:.1%} of decisions take more than 5 s.", "Lists come late for everyone on the slow partitions.",
        None, "FreshnessBurnsFast", "attune lag --watch",
    )  # fmt: skip


def _recovering(workers: Workers) -> Verdict | None:
    left = sum(value for _, value in workers.find("attune_recovery_remaining_records"))
    waiting = [found for found, value in workers.find("attune_child_ready") if not value]
    if not waiting:
        return None
    more = f"; {left:,.0f} changelog records to read" if left else ""
    return Verdict("warn", f"{_count(len(waiting), 'process')} getting ready{more}.", "Their partitions wait for them.")


def _growing(lag: View) -> Verdict | None:
    rows = [row for row in lag.rows if row.status is Status.WARN]
    if not rows:
        return None
    return Verdict(
        "warn", f"{rows[0].group} falls behind on {_places(rows)}; {_behind(rows)}.", _people(rows), None,
        "LagDoesNotShrink", f"attune lag --group {rows[0].group}",
    )  # fmt: skip


def _behind(rows: Sequence[LagRow]) -> str:
    return f"{sum(row.lag for row in rows):,} records behind, {span(max(row.lag_s for row in rows))} at worst"


def _places(rows: Sequence[LagRow]) -> str:
    if len(rows) == 1:
        return f"{rows[0].topic}[{rows[0].partition}]"
    return f"{len(rows)} partitions"


def _people(rows: Sequence[LagRow]) -> str:
    partitions = sorted({row.partition for row in rows})
    shown = ", ".join(map(str, partitions[:8])) + (" …" if len(partitions) > 8 else "")
    return f"People on partition{'s' if len(partitions) > 1 else ''} {shown} get no new lists."


def _count(number: int, word: str) -> str:
    return f"One {word} is" if number == 1 else f"{number} {word}es are"
