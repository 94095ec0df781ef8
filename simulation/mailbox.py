"""What people and machines do with mail: opens by rhythm and fatigue, clicks by fit, leaving when it is too much."""

from __future__ import annotations

import numpy as np

from simulation.draws import Luck, key_of
from simulation.local_time import DAY_MS, day_of
from simulation.market import MAIL, Market
from simulation.world import Record

_CLICK_IN_MAIL = 0.55
_TYPICAL_WISH = 0.3
_PROXY = "Mozilla/5.0"
_HUMAN = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15"


class MailedMarket(Market):
    """A market whose people can be written to."""

    _left: set[int]
    _mails: dict[int, int]
    _mails_of_day: dict[tuple[int, int], int]

    def open_mailboxes(self) -> None:
        """Called once by the domain's constructor."""
        self._left, self._mails, self._mails_of_day = set(), {}, {}

    def open_probability(self, p: int, ts: int) -> float:
        """Of a mail that arrives at `ts`."""
        if p in self._left:
            return 0.0
        weekend, hour = self.people.slot(p, ts)
        attention = self.weariness.attention(p, ts, float(self.people.tolerance[p]))
        rhythm = float(self.people.rhythms.response[p, weekend, hour])
        return min(0.9, float(self.people.open_rate[p]) * rhythm * self.need(p, ts) * attention)

    def truth(self, user_id: str, item_id: str | None, ts_ms: int) -> float:
        """See `simulation.world.World.truth`."""
        p = self.people.index.get(user_id)
        if p is None:
            return 0.0
        wish = _TYPICAL_WISH
        if item_id is not None:
            wish = float(self.click_wish(p, np.array([self.goods.index.get(item_id, -1)], dtype=np.int64), ts_ms)[0])
        return self.open_probability(p, ts_ms) * _CLICK_IN_MAIL * wish

    def best_items(self, user_id: str, ts_ms: int, n: int = 10) -> list[str]:
        """The truly best live items for a person: for oracles; one call instead of `truth` for every item."""
        p = self.people.index.get(user_id)
        if p is None:
            return []
        rows = self.within_reach(p, ts_ms)
        wish = self.click_wish(p, rows, ts_ms)
        return [self.goods.ids[int(rows[k])] for k in np.argsort(-wish, kind="stable")[:n]]

    def deliver(self, decision: Record, at_ms: int) -> None:
        """See `simulation.world.World.deliver`. Mail to unknown people, or after they left, has no effect."""
        self.history()
        value = decision["value"]
        p = self.people.index.get(str(value["user_id"])) if value else None
        if p is None:
            return
        at = max(at_ms, self.timeline.now_ms)
        self.ledger.add("mails", p)
        if p in self._left:
            return
        day = day_of(at)
        nth = self._mails_of_day[p, day] = self._mails_of_day.get((p, day), 0) + 1
        number = self._mails[p] = self._mails.get(p, 0) + 1
        luck = Luck(key_of(self.seed, MAIL, p, day, nth))
        send_id, stem = str(value["digest_id"]), f"m{p}-{number}"
        names = [str(item["item_id"]) for item in value.get("items") or []][:20]
        opens = luck.unit() < self.open_probability(p, at)
        delay_ms = int(luck.lognormal(35.0, 1.2) * 60_000) + 20_000
        self.weariness.mailed(p, at)
        self._machines(p, at, send_id, stem, names, luck)
        annoyed = luck.unit()
        if opens:
            self.timeline.moment(
                at + min(delay_ms, 40 * 3_600_000), lambda t: self._read(p, t, send_id, stem, names, luck)
            )
        self._perhaps_leave(p, at, at + (delay_ms if opens else 3_600_000), send_id, stem, annoyed)

    def _machines(self, p: int, at: int, send_id: str, stem: str, names: list[str], luck: Luck) -> None:
        """Proxies open, scanners follow every link; neither is the person."""
        user, soon = self.people.ids[p], at + 1_000 + luck.below(9_000)
        scanner = bool(self.people.scanner[p])
        if not (scanner or self.people.machine[p]):
            return
        opened: Record = {"event_id": f"{stem}.mo", "user_id": user, "send_id": send_id, "user_agent": _PROXY}
        if luck.unit() < 0.5:
            opened["machine"] = True
        self.timeline.record(soon, "opens", user, opened)
        for n, name in enumerate(names if scanner else ()):
            click = {
                "event_id": f"{stem}.mc{n}",
                "user_id": user,
                "send_id": send_id,
                "item_id": name,
                "user_agent": _PROXY,
            }
            self.timeline.record(soon + 200 * (n + 1), "clicks", user, click)

    def _read(self, p: int, ts: int, send_id: str, stem: str, names: list[str], luck: Luck) -> None:
        """A person opens a mail, looks down its list, clicks, and perhaps stays on the site."""
        if p in self._left:
            return
        user = self.people.ids[p]
        self.timeline.record(
            ts, "opens", user, {"event_id": f"{stem}.o", "user_id": user, "send_id": send_id, "user_agent": _HUMAN}
        )
        rows = np.array([self.goods.index.get(name, -1) for name in names], dtype=np.int64)
        worth = self.click_wish(p, rows, ts)
        wish = worth * _CLICK_IN_MAIL
        at, clicked = ts + 4_000 + luck.below(20_000), 0
        by_position = [(luck.unit(), luck.unit(), luck.below(90_000)) for _ in names]
        looked = 0
        for position, (i, (u_click, u_on, pause_ms)) in enumerate(zip(rows.tolist(), by_position, strict=True)):
            looked = position + 1
            if i >= 0:
                self.weariness.looked(p, i, ts)
            if u_click < wish[position] and i >= 0:
                self._click(p, i, position, at, send_id, stem, luck)
                clicked += 1
                at += 30_000 + pause_ms
            if u_on >= float(self.people.patience[p]) or clicked >= 3:
                break
        if looked:
            self.weariness.read(p, float(worth[:looked].mean()))
        if clicked and luck.unit() < 0.3:
            self.timeline.moment(at, lambda t: self._page(p, t, stem, 0, key_of(self.seed, MAIL, p, t // DAY_MS)))

    def _click(self, p: int, i: int, position: int, at: int, send_id: str, stem: str, luck: Luck) -> None:
        user, name = self.people.ids[p], self.goods.ids[i]

        def note() -> None:
            if self.silent(p, self.timeline.now_ms):
                self.ledger.reactivated(p)
                self._come_back(p, self.timeline.now_ms, stem)
            self.ledger.add("clicks", p, i)

        click = {
            "event_id": f"{stem}.c{position}",
            "user_id": user,
            "send_id": send_id,
            "item_id": name,
            "user_agent": _HUMAN,
        }
        self.timeline.record(at, "clicks", user, click, note)
        origin = {"surface": "email", "send_id": send_id, "position": position}
        self.view(
            p, i, self.one_fit(p, i, at), at + 1_500, f"{stem}.v{position}", origin, stem, 5_000 + luck.below(120_000)
        )

    def _come_back(self, p: int, ts: int, stem: str) -> None:
        """A silent person who clicked comes again over the next days."""
        luck = Luck(key_of(self.seed, MAIL, p, -1))
        for n in range(1 + luck.below(4)):
            when = ts + int(luck.exponential(3.0) * DAY_MS) + 3_600_000
            self.visit(p, when, f"{stem}-back{n}", key_of(self.seed, MAIL, p, -2, n), own=False)

    def _perhaps_leave(self, p: int, at: int, when: int, send_id: str, stem: str, annoyed: float) -> None:
        """Some ask for fewer mails instead."""
        urge = self.weariness.urge_to_leave(p, at, float(self.people.tolerance[p]))
        hazard = float(self.people.unsubscribe_rate[p]) * urge * (1.0 if self.people.opt_in[p] else 4.0)
        if annoyed >= hazard:
            return
        user, grade = self.people.ids[p], annoyed / hazard
        if grade < 0.2:
            value: Record = {"event_id": f"{stem}.p", "user_id": user, "frequency": "weekly"}
            self.timeline.record(when, "preferences", user, value)
            return

        def leave() -> None:
            if p not in self._left:
                self._left.add(p)
                self.ledger.add("unsubscribes", p)

        cause = "complaint" if grade < 0.26 else "bounce" if grade < 0.3 else "user"
        value = {"event_id": f"{stem}.u", "user_id": user, "send_id": send_id, "cause": cause}
        self.timeline.record(when, "unsubscribes", user, value, leave)
