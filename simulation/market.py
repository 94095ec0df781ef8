"""The engine all our worlds share: visits, slates, and what people do with them.

A domain says what fits whom, and what follows a view.

Pairing: visits, and what people look at on their own during a visit, depend on (seed, person, day) only. Slates and
mails add to it; their luck is keyed by (seed, person, day, purpose) too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from simulation.catalogue import Goods
from simulation.draws import Floats, Ints, Luck, key_of, uniform_of
from simulation.ledger import Ledger
from simulation.local_time import DAY_MS, HOUR_MS, START_MS, day_of, offset_ms
from simulation.people import DORMANT, HISTORY_DAYS, NEWCOMER, Bools, People
from simulation.timeline import Timeline
from simulation.variants import Variant
from simulation.weariness import Weariness
from simulation.world import Record, Slate

VISIT, HOUR, BROWSE, PAGE, MAIL, CHOICE, SELF = range(7)
_BACK_LATER = 0.05
_AGAIN_LAG_H, _AGAIN_SIGMA = 2.2, 1.4
_GAP_SIGMA = 1.05
_CLICK_ON_SLATE = 0.3
_SILENT_MS = 30 * DAY_MS
_SPARSE_BELOW = 5
"""Looks at items in the whole history: whoever has fewer is of the cohort `sparse`."""


class Market(ABC):
    """A world without its domain. Subclasses draw people and goods, then call this constructor."""

    gap_median_s = 70.0
    """Between two looks of a visit."""
    more_views = 0.66
    """Chance of one more look in a visit, after each."""
    back_in_session = 0.4
    """Share of later looks of a visit that go back to something seen in it."""
    again_share = 0.3
    """Share of visits that are followed by another within hours."""

    def __init__(
        self,
        seed: int,
        days: int,
        variant: Variant,
        people: People,
        goods: Goods,
        cohorts: tuple[Mapping[str, Bools], Mapping[str, Bools]],
    ) -> None:
        self.start_ms = START_MS
        self.seed, self.days, self.variant, self.people, self.goods = seed, days, variant, people, goods
        self.ledger = Ledger(cohorts[0], cohorts[1], people.join_day, days)
        self.timeline = Timeline(START_MS - HISTORY_DAYS * DAY_MS)
        users = len(people.ids)
        self._planned_to = -HISTORY_DAYS
        self._past: list[Record] | None = None
        self._slate: Slate | None = None
        self._own: list[deque[int]] = [deque(maxlen=12) for _ in range(users)]
        self.weariness = Weariness(users, START_MS, variant.wear)
        self._last_seen_ms = np.full(users, START_MS - 400 * DAY_MS, dtype=np.int64)
        self._looks_before = np.zeros(users, dtype=np.int64)
        self._episodes = [
            list(zip(begin, end, strict=True))
            for begin, end in zip(people.episode_from.tolist(), people.episode_to.tolist(), strict=True)
        ]
        self.applied: set[tuple[int, int]] = set()

    # -- the protocol ------------------------------------------------------------------------------------------------

    def catalogue(self) -> Iterator[Record]:
        """`items` posted before the start, then `users` who are already there."""
        for i in np.flatnonzero(self.goods.posted_ms < self.start_ms):
            yield self.goods.record(int(i))
        for p in np.flatnonzero(self.people.join_day < 0):
            yield self.user_record(int(p), self.start_ms - HISTORY_DAYS * DAY_MS)

    def history(self) -> Iterable[Record]:
        """Behaviour of the eight weeks before the start, nobody being mailed or recommended anything."""
        if self._past is None:
            self._past = list(self._run(self.start_ms))
            self._open_for_business()
        return iter(self._past)

    def advance(self, until_ms: int, slate: Slate) -> Iterator[Record]:
        """See `simulation.world.World.advance`."""
        self.history()
        self._slate = slate
        yield from self._run(until_ms)

    def outcomes(self) -> dict[str, float]:
        """See `simulation.world.World.outcomes`."""
        return self.ledger.outcomes()

    # -- the domain --------------------------------------------------------------------------------------------------

    @abstractmethod
    def user_record(self, p: int, ts_ms: int) -> Record:
        """The `users` record of person `p`."""

    @abstractmethod
    def within_reach(self, p: int, ts_ms: int) -> Ints:
        """Rows of the live items that person `p` could come across."""

    @abstractmethod
    def fit(self, p: int, rows: Ints, ts_ms: int) -> Floats:
        """True fit in [0, 1] of items to a person at a time."""

    def own_fit(self, p: int, rows: Ints, ts_ms: int) -> Floats:
        """Fit as far as it is the same under every policy: what own browsing goes by."""
        return self.fit(p, rows, ts_ms)

    def errand(self, p: int, ts_ms: int) -> int | None:
        """The item a person comes for, if they come for a certain one; the same under every policy."""
        return None

    @abstractmethod
    def appeal(self, rows: Ints, ts_ms: int) -> Floats:
        """What draws everybody's eye, in logits: brand, freshness, a lower price."""

    @abstractmethod
    def query(self, i: int, luck: Luck) -> str:
        """What someone types who looks for an item like `i`."""

    @abstractmethod
    def after_view(
        self, p: int, i: int, fit: float, ts_ms: int, origin: Record | None, session: str, own: bool
    ) -> None:
        """Put what follows a view (saves, applies) on the timeline; `own`: the view happens under every policy."""

    @abstractmethod
    def after_start(self) -> None:
        """Put the catalogue's own future on the timeline, once, when the history is over."""

    @abstractmethod
    def dismissal_reason(self, p: int, i: int) -> str:
        """Why a person would wave item `i` away."""

    # -- days and visits ---------------------------------------------------------------------------------------------

    def _open_for_business(self) -> None:
        goods, timeline = self.goods, self.timeline
        self.ledger.name_cohort("sparse", self._looks_before < _SPARSE_BELOW)
        for i in np.flatnonzero(goods.posted_ms >= self.start_ms):
            record = goods.record(int(i))
            timeline.record(int(goods.posted_ms[i]), "items", record["key"], record["value"])
        for p in np.flatnonzero(self.people.join_day >= 0):
            joined = self.start_ms + int(self.people.join_day[p] * DAY_MS)
            timeline.record(joined, "users", self.people.ids[int(p)], self.user_record(int(p), joined)["value"])
        self.after_start()

    def _run(self, until_ms: int) -> Iterator[Record]:
        while self.timeline.now_ms < until_ms:
            now_day = day_of(self.timeline.now_ms)
            while (
                self._planned_to <= now_day + 1
            ):  # local days begin up to 14 h before and end up to 12 h after UTC days
                self._plan(self._planned_to)
                self._planned_to += 1
            yield from self.timeline.until(min(until_ms, START_MS + (now_day + 1) * DAY_MS))

    def _plan(self, day: int) -> None:
        """The visits that happen on local day `day` whatever the policy."""
        everyone = np.arange(len(self.people.ids))
        rate = self.people.rates(day) * (1.0 - self.again_share)
        none = np.exp(-rate)
        u = uniform_of(key_of(self.seed, VISIT, day), everyone)
        count = (u >= none).astype(np.int64) + (u >= none * (1 + rate)) + (u >= none * (1 + rate + rate**2 / 2))
        count[(np.floor(self.people.join_day) == day) & (count == 0)] = 1
        weekend = int(day % 7 >= 5)
        for p in np.flatnonzero(count).tolist():
            luck = Luck(key_of(self.seed, HOUR, p, day))
            cdf = self.people.rhythms.visits_cdf[p, weekend]
            n = 0
            for _ in range(int(count[p])):
                hour = int(np.searchsorted(cdf, luck.unit(), side="right"))
                local = int((hour + luck.unit()) * HOUR_MS)
                ts = START_MS + day * DAY_MS + local - offset_ms(self.people.tz(p, day), day)
                joined = self.people.join_day[p]
                if joined >= 0:
                    ts = max(ts, START_MS + int(joined * DAY_MS) + 60_000)
                again = True
                while again:
                    self.visit(p, ts, f"s{p}-{day + HISTORY_DAYS}-{n}", key_of(self.seed, BROWSE, p, day, n))
                    n += 1
                    again = luck.unit() < self.again_share and n < 6
                    ts += int((0.6 + min(40.0, luck.lognormal(_AGAIN_LAG_H, _AGAIN_SIGMA))) * HOUR_MS)
                    if self.people.slot(p, ts)[1] < 6 and luck.unit() < 0.6:
                        ts += 8 * HOUR_MS

    def visit(self, p: int, ts_ms: int, session: str, key: int, own: bool = True) -> None:
        """Someone comes to the site at `ts_ms`: they see the slate, then look around on their own.

        `own`: the visit happens under every policy; one that a mail caused must leave no trace in those that do.
        """

        def arrive(ts: int) -> None:
            self._page(p, ts, session, 0, key_of(key, PAGE))
            self._browse(p, ts + 15_000, session, Luck(key), own)

        self.timeline.moment(ts_ms, arrive)

    def _browse(self, p: int, ts: int, session: str, luck: Luck, paired: bool) -> None:
        """Search and look at items: nothing here depends on what was recommended."""
        rows = self.within_reach(p, ts)
        views = 1
        while luck.unit() < self.more_views and views < 12:
            views += 1
        search, key = luck.unit() < 0.45, key_of(luck.below(1 << 53), SELF)
        if not rows.size:
            return
        fit = self.own_fit(p, rows, ts)
        pull = np.log(fit + 0.02) * 1.4 + self.appeal(rows, ts)
        noise = -np.log(-np.log(uniform_of(key, rows) + 1e-12))
        own = self._own[p] if paired else self._own[p].copy()
        for i in set(own):  # known already: back to it on purpose, below, or not at all
            at_row = int(rows.searchsorted(i))
            if at_row < rows.size and rows[at_row] == i:
                pull[at_row] -= 2.0
        fresh = rows[np.argsort(-(pull + noise), kind="stable")[:views]].tolist()
        if search:
            value = {
                "event_id": f"{session}.q",
                "user_id": self.people.ids[p],
                "query": self.query(fresh[0], luck),
                "session_id": session,
            }
            self.timeline.record(ts - 5_000, "searches", self.people.ids[p], value)
        at = ts
        for n in range(views):
            i = fresh[n] if n < len(fresh) else fresh[0]
            back, depth, kept = luck.unit(), int(luck.exponential(1.5)), len(own)
            if n and back < self.back_in_session:
                i = own[-1 - min(depth, min(n, kept) - 1)]
            elif kept and back < _BACK_LATER:
                i = own[-1 - min(depth, kept - 1)]
            errand = None if n else self.errand(p, ts)
            i = i if errand is None else errand
            if self.goods.gone_ms[i] <= at:
                i = fresh[0]
            own.append(i)
            gap_ms = int(min(1_500.0, luck.lognormal(self.gap_median_s, _GAP_SIGMA)) * 1000) + 2_000
            at_row = min(int(np.searchsorted(rows, i)), rows.size - 1)
            known = float(fit[at_row]) if rows[at_row] == i else None
            self.view(
                p,
                i,
                float(self.own_fit(p, np.array([i]), at)[0]) if known is None else known,
                at,
                f"{session}.b{n}",
                None,
                session,
                gap_ms,
                paired,
            )
            at += gap_ms

    def _page(self, p: int, ts: int, session: str, page: int, key: int) -> None:
        """The site shows its slate; the person looks down it as far as patience goes."""
        shown = self._slate(self.people.ids[p], ts) if self._slate is not None else None
        if shown is None or not shown["value"] or not shown["value"].get("items"):
            return
        value = shown["value"]
        names = [str(item["item_id"]) for item in value["items"]][:10]
        rec_id, user = str(value["rec_id"]), self.people.ids[p]
        seen = {
            "event_id": f"{session}.i{page}",
            "user_id": user,
            "rec_id": rec_id,
            "item_ids": names,
            "surface": "site",
        }
        self.timeline.record(ts, "impressions", user, seen)
        luck, clicked, at = Luck(key_of(key, page)), 0, ts + 2_000
        rows = np.array([self.goods.index.get(name, -1) for name in names], dtype=np.int64)
        wish = self.click_wish(p, rows, ts) * _CLICK_ON_SLATE
        patient = True
        for position, i in enumerate(rows.tolist()):
            u_click, u_dismiss, u_on = luck.unit(), luck.unit(), luck.unit()
            if not patient:
                break
            patient = u_on < self.people.patience[p]
            if i < 0:
                continue
            self.weariness.looked(p, i, ts)
            if u_click < wish[position]:
                origin = {"surface": "site", "rec_id": rec_id, "position": position}
                dwell = int(min(1_200.0, luck.lognormal(50.0, 1.0)) * 1000) + 2_000
                self.ledger_if_open("site_clicks", p, i)
                self.view(p, i, self.one_fit(p, i, at), at, f"{session}.r{page}-{position}", origin, session, dwell)
                clicked += 1
                at += dwell
            elif u_dismiss < 0.012 and wish[position] < 0.05 * _CLICK_ON_SLATE:
                no = {
                    "event_id": f"{session}.d{page}-{position}",
                    "user_id": user,
                    "item_id": names[position],
                    "reason": self.dismissal_reason(p, i),
                }
                self.timeline.record(at, "dismissals", user, no)
        if clicked and page < 3 and luck.unit() < self.people.patience[p]:
            self.timeline.moment(at + 3_000, lambda t: self._page(p, t, session, page + 1, key))

    # -- shared by slates, mails and own browsing --------------------------------------------------------------------

    def view(
        self,
        p: int,
        i: int,
        fit: float,
        ts: int,
        event_id: str,
        origin: Record | None,
        session: str,
        dwell_ms: int,
        own: bool = False,
    ) -> None:
        """A look at an item, and what follows from it."""
        user = self.people.ids[p]
        value: dict[str, Any] = {
            "event_id": event_id,
            "user_id": user,
            "item_id": self.goods.ids[i],
            "dwell_ms": int(dwell_ms * (0.4 + 0.6 * fit)),
            "session_id": session,
        }
        if origin is not None:
            value["origin"] = origin

        def note() -> None:
            self._last_seen_ms[p] = self.timeline.now_ms
            self._looks_before[p] += self.timeline.now_ms < self.start_ms
            self.ledger_if_open("views", p, i)

        self.timeline.record(ts, "views", user, value, note)
        self.after_view(p, i, fit, ts, origin, session, own)

    def one_fit(self, p: int, i: int, ts: int) -> float:
        """Fit of a single item."""
        return float(self.fit(p, np.array([i], dtype=np.int64), ts)[0])

    def click_wish(self, p: int, rows: Ints, ts: int) -> Floats:
        """Probability, up to a constant, that items (rows; -1 unknown) are clicked once looked at, in [0, 1]."""
        if not self.variant.taste:
            return np.full(rows.size, 0.3)
        wish = np.where(rows < 0, 0.0, self.fit(p, np.maximum(rows, 0), ts) * self.weariness.kept(p, rows, ts))
        wish[(rows >= 0) & (self.goods.gone_ms[rows] <= ts)] *= 0.1
        for n, i in enumerate(rows.tolist()):
            if (p, i) in self.applied:
                wish[n] *= 0.03
        return wish

    def choice(self, p: int, i: int, purpose: int) -> float:
        """The luck of a person with an item: the same however they came across it."""
        return Luck(key_of(self.seed, CHOICE, purpose, p, i)).unit()

    def silent(self, p: int, ts: int) -> bool:
        """Nothing seen of this person for a month."""
        return bool(ts - self._last_seen_ms[p] > _SILENT_MS) and self.people.cohort[p] != NEWCOMER

    def need(self, p: int, ts: int) -> float:
        """How much a person is in the mood at all: 1 in an episode, less outside."""
        day = (ts - START_MS) / DAY_MS
        for begins, ends in self._episodes[p]:
            if begins <= day < ends:
                return 1.0
        return 0.35 if self.people.cohort[p] == DORMANT else 0.5

    def ledger_if_open(self, what: str, p: int, i: int | None = None, amount: float = 1.0) -> None:
        """Count, unless it is still history."""
        if self.timeline.now_ms >= self.start_ms:
            self.ledger.add(what, p, i, amount)
