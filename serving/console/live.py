"""The live part of each page, rendered at once for the page and again every second for whoever listens."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from serving.console.charts import produced_and_consumed, rates, worst_lag
from serving.console.heatmap import drawn
from serving.console.lag_feed import troubled
from serving.console.objective import WINDOWS_S, rate, window
from serving.console.state import Console
from serving.console.verdict import verdict

Context = dict[str, Any]


def overview(console: Console) -> Context:
    """Objective, burn, the sentence, and how everything stands."""
    now_s, lag, workers = console.clock(), console.lag.view, console.workers
    history = list(workers.history)
    windows = [window(history, seconds) for seconds in WINDOWS_S]
    return {
        "now_s": now_s,
        "verdict": verdict(lag, workers, windows, now_s),
        "windows": windows,
        "lag": lag,
        "troubled": troubled(lag.rows)[:8],
        "worst_s": max((row.lag_s for row in lag.rows), default=None),
        "behind": sum(row.lag for row in lag.rows),
        "records_s": rate(history, "records"),
        "decisions_s": rate(history, "decisions"),
        "dead_letters": workers.total("attune_dead_letters_total"),
        "pages": workers.pages,
        "children": children(console),
        "charts": {"rates": rates(history), "worst": worst_lag(console.lag)},
    }


def children(console: Console) -> list[dict[str, Any]]:
    """Every process that a supervisor speaks for."""
    found = []
    for page in console.workers.pages:
        for labels, up in sorted(page.samples.get("attune_child_up", {}).items()):
            named = dict(labels)

            def of(name: str, labels: Any = labels, page: Any = page) -> float | None:
                value: float | None = page.samples.get(name, {}).get(labels)
                return value

            found.append(
                {
                    "address": page.address,
                    "role": named["role"],
                    "child": named["child"],
                    "up": bool(up),
                    "ready": bool(of("attune_child_ready")),
                    "restarts": of("attune_child_restarts_total"),
                    "rebalances": of("attune_rebalances_total"),
                    "recovery": of("attune_recovery_remaining_records"),
                    "unflushed_s": of("attune_oldest_unflushed_seconds"),
                    "queue": of("attune_producer_queue_records"),
                    "healed": of("attune_healed_records_total"),
                }
            )
    return found


def lag(console: Console) -> Context:
    """Groups, topics, partitions."""
    view, now_s = console.lag.view, console.clock()
    groups = drawn(view.rows)
    rebalances = console.workers.find("attune_rebalances_total")
    return {
        "now_s": now_s,
        "lag": view,
        "groups": groups,
        "owners": console.owners.found,
        "rebalances": rebalances,
        "charts": {f"flow-{n}": produced_and_consumed(console.lag, group.group) for n, group in enumerate(groups)},
    }


def models(console: Console) -> Context:
    """Live quality against popularity."""
    workers = console.workers

    def by_policy(name: str) -> dict[str, float]:
        values: dict[str, list[float]] = {}
        for labels, value in workers.find(name):
            values.setdefault(labels.get("policy", ""), []).append(value)
        return {policy: sum(found) / len(found) for policy, found in values.items()}

    ages = [value for _, value in workers.find("attune_replica_age_seconds")]
    return {
        "now_s": console.clock(),
        "hit_rate": by_policy("attune_model_hit_rate_10"),
        "log_loss": by_policy("attune_model_log_loss"),
        "calibration": by_policy("attune_model_calibration_ratio"),
        "judged": workers.total("attune_model_judged_total"),
        "alarms": workers.total("attune_model_drift_alarms_total"),
        "replica_age_s": max(ages, default=None),
        "learned": workers.total("attune_events_applied_total", role="learner"),
        "known": any(page.answers for page in workers.pages),
        "charts": {},
    }


def sending(console: Console) -> Context:
    """Volume, decisions and refusals."""
    workers = console.workers
    decided = workers.by("attune_decisions_total", "reason", topic="send-times")
    topics = workers.by("attune_records_total", "topic")
    return {
        "now_s": console.clock(),
        "known": any(page.answers for page in workers.pages),
        "lists": workers.by("attune_decisions_total", "reason", topic="recommendations"),
        "times": {reason: n for reason, n in decided.items() if reason not in SUPPRESSED},
        "refused": {reason: n for reason, n in decided.items() if reason in SUPPRESSED},
        "digests": workers.by("attune_decisions_total", "reason", topic="digests"),
        "events": {topic: topics.get(topic, 0.0) for topic in ("sends", "opens", "clicks", "unsubscribes")},
        "charts": {},
    }


SUPPRESSED: Final = ("fatigue", "quiet_hours", "cap", "unsubscribed", "no_content", "holdout")
LIVE: Final[dict[str, Callable[[Console], Context]]] = {
    "overview": overview,
    "lag": lag,
    "models": models,
    "sending": sending,
}


def chart_json(context: Context) -> str:
    """The charts of a page as JSON that may stand inside a script element."""
    return msgspec.json.encode(context["charts"]).decode().replace("<", "\\u003c")
