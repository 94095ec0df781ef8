"""True totals since the start of a world, overall and per cohort of people and of items."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulation.draws import Floats
from simulation.local_time import DAY_MS, START_MS
from simulation.people import Bools
from simulation.world import OUTCOMES

_COUNTED = (
    "clicks",
    "apply_starts",
    "applies",
    "unsubscribes",
    "mails",
    "reactivated",
    "revenue",
    "orders",
    "views",
    "site_clicks",
    "fit",
)
_COLUMN = {name: n for n, name in enumerate(_COUNTED)}
_REPEAT_MS = 60 * DAY_MS


class Ledger:
    """Counts per person, and per kind of item; people-cohorts may overlap."""

    def __init__(
        self, people_cohorts: Mapping[str, Bools], item_cohorts: Mapping[str, Bools], join_day: Floats, days: int
    ) -> None:
        self._cohorts = dict(people_cohorts)
        self._item_cohorts = dict(item_cohorts)
        self._join = np.maximum(join_day, 0.0)
        self._days = days
        users = len(join_day)
        self._people = np.zeros((len(_COUNTED), users))
        self._items = {name: dict.fromkeys(_COUNTED, 0.0) for name in item_cohorts}
        self._first_apply = np.full(users, np.inf)
        self._last_order_ms: dict[int, int] = {}
        self._buyers: set[int] = set()
        self._repeaters: set[int] = set()

    def name_cohort(self, name: str, members: Bools) -> None:
        """A cohort of people that is known only once the history is over."""
        self._cohorts[name] = members

    def add(self, what: str, p: int, i: int | None = None, amount: float = 1.0) -> None:
        """Add to a count of person `p`, and of the cohorts of item `i`."""
        self._people[_COLUMN[what], p] += amount
        if i is not None:
            for name, members in self._item_cohorts.items():
                if members[i]:
                    self._items[name][what] += amount

    def applied(self, p: int, i: int, ts_ms: int, fit: float) -> None:
        """A completed application, or a completed purchase."""
        self.add("applies", p, i)
        self.add("fit", p, i, fit)
        self._first_apply[p] = min(self._first_apply[p], (ts_ms - START_MS) / DAY_MS)
        last = self._last_order_ms.get(p)
        if last is not None and DAY_MS // 4 < ts_ms - last <= _REPEAT_MS:
            self._repeaters.add(p)
        self._buyers.add(p)
        self._last_order_ms[p] = ts_ms

    def reactivated(self, p: int) -> None:
        """A silent person came back through a mail; counts once."""
        self._people[_COLUMN["reactivated"], p] = 1.0

    def outcomes(self) -> dict[str, float]:
        """See `simulation.world.World.outcomes`.

        `days_to_first_apply` is a restricted mean: whoever has not applied counts with the days since they came.
        `clicks` are people's clicks on mails; `site_clicks` on slates.
        """
        everyone = np.ones(len(self._join), dtype=np.bool_)
        out = self._of(everyone)
        for name, members in self._cohorts.items():
            out |= {f"cohort.{name}.{metric}": value for metric, value in self._of(members).items()}
        for name, counts in self._items.items():
            row = {metric: counts[metric] for metric in OUTCOMES if metric in counts}
            row["views_per_apply"] = counts["views"] / max(1.0, counts["applies"])
            row["true_fit_of_applies"] = counts["fit"] / counts["applies"] if counts["applies"] else 0.0
            out |= {
                f"cohort.{name}.{metric}": value
                for metric, value in row.items()
                if metric not in ("mails", "unsubscribes", "reactivated")
            }
        return out

    def _of(self, members: Bools) -> dict[str, float]:
        total = {name: float(self._people[n, members].sum()) for name, n in _COLUMN.items()}
        applies = total["applies"]
        waited = np.clip(np.minimum(self._first_apply, self._days) - self._join, 0.0, None)[members]
        chosen = set(np.flatnonzero(members).tolist())
        buyers = len(self._buyers & chosen)
        return {metric: total[metric] for metric in OUTCOMES if metric in total} | {
            "days_to_first_apply": float(waited.mean()) if waited.size else 0.0,
            "views_per_apply": total["views"] / max(1.0, applies),
            "true_fit_of_applies": total["fit"] / applies if applies else 0.0,
            "repeat_rate_60d": len(self._repeaters & chosen) / buyers if buyers else 0.0,
            "views": total["views"],
            "site_clicks": total["site_clicks"],
            "people": float(members.sum()),
        }
