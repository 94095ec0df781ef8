"""The shop: goods are launched, go on sale and sell out; people fill carts, abandon them, buy, and run out."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from simulation.draws import Floats, Ints, Luck, key_of
from simulation.goods import DEPARTMENTS, LASTS_DAYS, PRODUCT_OF, PRODUCTS, USUAL_PRICE, style_name
from simulation.local_time import DAY_MS, HOUR_MS, START_MS, day_of
from simulation.mailbox import MailedMarket
from simulation.market import CHOICE
from simulation.people import DORMANT, HISTORY_DAYS, MISLED, NEWCOMER, REGULAR, SPARSE, draw_people
from simulation.rhythm import SEGMENTS
from simulation.shop_catalogue import CURRENCY, Change, draw_goods
from simulation.shoppers import Cupboard, draw_shoppers
from simulation.towns import METROS, TOWNS
from simulation.variants import variant_named
from simulation.world import Record

CART, BUY, AMOUNT = range(3)
_MIDDLE = 3.3
_FLAT_FIT = 0.3


class ShopWorld(MailedMarket):
    """``make_world("shop:VARIANT", ...)``. `live_goods` at a time (default: 0.5 per person, at least 300)."""

    gap_median_s = 52.0
    more_views = 0.72
    back_in_session = 0.4
    again_share = 0.12

    def __init__(self, seed: int, users: int, days: int, variant: str = "base", live_goods: int | None = None) -> None:
        chosen = variant_named(variant)
        people = draw_people(seed, users, days, max(2, min(METROS, users // 100)), chosen)
        self.shelf = draw_goods(seed, live_goods if live_goods is not None else max(300, int(0.5 * users)), days)
        self._usual = USUAL_PRICE[PRODUCT_OF[self.shelf.kind]]
        self.shoppers = draw_shoppers(seed, people)
        self._cupboards = [Cupboard() for _ in range(users)]
        self._undisturbed = [Cupboard() for _ in range(users)]
        """What they would own had nobody recommended anything: own browsing follows it, to keep policies paired."""
        self._tastes: dict[int, tuple[int, Floats]] = {}
        self._carts: dict[int, dict[int, int]] = defaultdict(dict)
        self._ordered: set[str] = set()
        self._live: tuple[int, Ints] = (-(10**9), np.zeros(0, dtype=np.int64))
        cohorts = {
            "regular": people.cohort == REGULAR,
            "newcomer": people.cohort == NEWCOMER,
            "dormant": people.cohort == DORMANT,
            "new_parent": people.cohort == SPARSE,
            "gift_buyer": people.cohort == MISLED,
            "traveller": people.traveller,
            "machine_opens": people.machine,
        }
        large = self.shelf.large
        items = {"small_employer": ~large, "large_employer": large}
        super().__init__(seed, days, chosen, people, self.shelf, (cohorts, items))
        self.open_mailboxes()

    def within_reach(self, p: int, ts_ms: int) -> Ints:
        """Everything the shop sells now."""
        hour = ts_ms // HOUR_MS
        if self._live[0] != hour:
            shelf, begin = self.shelf, hour * HOUR_MS  # not ts_ms: who asks first must not matter
            self._live = (hour, np.flatnonzero((shelf.posted_ms <= begin) & (shelf.gone_ms > begin) & shelf.available))
        return self._live[1]

    def fit(self, p: int, rows: Ints, ts_ms: int) -> Floats:
        """Logistic in taste, price over budget and sales, what is owned or has run out, and what lies in the cart."""
        fit = self._fit(p, rows, ts_ms, self._cupboards[p])
        if self.variant.taste:
            carted = [row for row, since in self._carts[p].items() if ts_ms - since < 10 * DAY_MS]
            if carted:
                fit = np.where(np.isin(rows, carted), np.minimum(1.0, fit * 1.4 + 0.1), fit)
            fit[~self.shelf.available[rows]] *= 0.1
        return fit

    def own_fit(self, p: int, rows: Ints, ts_ms: int) -> Floats:
        """See `Market.own_fit`: by what they would own without any policy."""
        return self._fit(p, rows, ts_ms, self._undisturbed[p])

    def _fit(self, p: int, rows: Ints, ts_ms: int, cupboard: Cupboard) -> Floats:
        if not self.variant.taste:
            return np.full(rows.size, _FLAT_FIT)
        shelf, who = self.shelf, self.shoppers
        kind = shelf.kind[rows]
        product = PRODUCT_OF[kind]
        z = self._taste(p, ts_ms)[kind] + cupboard.wants((ts_ms - START_MS) / DAY_MS)[product]
        usual = np.log(shelf.price[rows] / self._usual[rows]) - who.budget[p]
        z -= who.price_weight[p] * np.maximum(usual, -0.4)
        z += who.bargain[p] * np.maximum(0.0, 1.0 - shelf.price[rows] / shelf.full_price[rows])
        z += who.loyalty[p] * ((cupboard.last_row[product] == rows) & (LASTS_DAYS[product] > 0))
        z += 0.35 * shelf.appeal[rows]
        out: Floats = 1.0 / (1.0 + np.exp(-1.1 * (z - _MIDDLE)))
        return out

    def _taste(self, p: int, ts_ms: int) -> Floats:
        """Logits over kinds in the week of `ts_ms`."""
        week = day_of(ts_ms) // 7
        after = ts_ms >= START_MS + self.people.switch_day[p] * DAY_MS
        stamp = week * 2 + int(after)
        known = self._tastes.get(p)
        if known is not None and known[0] == stamp:
            return known[1]
        s = self.shoppers
        angle = min(1.4, float(s.drift_per_day[p]) * (week * 7 + HISTORY_DAYS))
        taste: Floats = np.cos(angle) * (s.after[p] if after else s.before[p]) + np.sin(angle) * s.later[p]
        self._tastes[p] = (stamp, taste)
        return taste

    def appeal(self, rows: Ints, ts_ms: int) -> Floats:
        """Things everybody looks at; sales draw the eye."""
        off = np.maximum(0.0, 1.0 - self.shelf.price[rows] / self.shelf.full_price[rows])
        out: Floats = 0.9 * self.shelf.appeal[rows] + 1.5 * off
        return out

    def errand(self, p: int, ts_ms: int) -> int | None:
        """What has run out, and was good."""
        row = self._undisturbed[p].runs_out((ts_ms - START_MS) / DAY_MS)
        if row is None or not self.variant.taste or not self.shelf.available[row]:
            return None
        return row if Luck(key_of(self.seed, CHOICE, p, ts_ms // HOUR_MS)).unit() < 0.85 else None

    def query(self, i: int, luck: Luck) -> str:
        """Product, sometimes with its style, sometimes the department."""
        kind, form = int(self.shelf.kind[i]), luck.below(3)
        product = PRODUCTS[int(PRODUCT_OF[kind])]
        if form == 0:
            return f"{style_name(kind)} {product.name}".lower()
        return product.name.lower() if form == 1 else f"{DEPARTMENTS[product.department].name} ideas"

    def after_view(
        self, p: int, i: int, fit: float, ts_ms: int, origin: Record | None, session: str, own: bool
    ) -> None:
        """Into the cart; then bought, or abandoned. Supplies are bought again when they run out."""
        product, day = int(PRODUCT_OF[self.shelf.kind[i]]), (ts_ms - START_MS) / DAY_MS
        luck = Luck(key_of(self.seed, CHOICE, p, i, day_of(ts_ms)))
        due = self._undisturbed[p].runs_out(day) == i
        carted = luck.unit() < (0.9 if due else 0.42 * fit)
        chance, u = 0.95 if due else 0.25 + 0.55 * fit, luck.unit()
        bought = carted and u < chance * (1.0 if due else self._cupboards[p].appetite(day))
        quantity = 1 + int(luck.exponential(0.5 if LASTS_DAYS[product] else 0.15))
        if not carted:
            return
        if own and u < chance * (1.0 if due else self._undisturbed[p].appetite(day)):
            self._undisturbed[p].put(product, i, day)
        suppressed = self.variant.taste and self._cupboards[p].wants(day)[product] < -1.5
        if suppressed or not self.shelf.available[i]:
            return
        user, stem = self.people.ids[p], f"{p}-{i}-{ts_ms}"
        shared: Record = {"user_id": user, "item_id": self.shelf.ids[i], "session_id": session}
        if origin is not None:
            shared["origin"] = origin
        self._carts[p][i] = ts_ms
        self.timeline.record(ts_ms + 25_000, "saves", user, {"event_id": f"k{stem}", "kind": "cart", **shared})
        if not bought:
            if luck.unit() < 0.15:
                undo: Record = {"event_id": f"x{stem}", "kind": "cart", "undo": True, **shared}
                self.timeline.record(ts_ms + 120_000, "saves", user, undo)
            return
        self._cupboards[p].put(product, i, day)
        self._carts[p].pop(i, None)
        price = round(float(self.shelf.price[i]) * quantity, 2)
        money = {"value": {"amount": price, "currency": CURRENCY}, "quantity": quantity}
        begin: Record = {"event_id": f"t{stem}", "stage": "start", **money, **shared}
        done: Record = {"event_id": f"a{stem}", "stage": "complete", **money, **shared}

        def paid() -> None:
            now = self.timeline.now_ms
            if now < self.start_ms:
                return
            self.ledger.applied(p, i, now, fit)
            self.ledger.add("revenue", p, i, price)
            if session not in self._ordered:
                self._ordered.add(session)
                self.ledger.add("orders", p, i)

        checkout = ts_ms + 60_000
        self.timeline.record(checkout, "applies", user, begin, lambda: self.ledger_if_open("apply_starts", p, i))
        self.timeline.record(checkout + 90_000, "applies", user, done, paid)

    def dismissal_reason(self, p: int, i: int) -> str:
        """Too dear, or simply not theirs."""
        over = float(np.log(self.shelf.price[i] / self._usual[i]) - self.shoppers.budget[p])
        return "pay" if over > 0.4 else "brand" if self.shelf.appeal[i] < -0.8 else "other"

    def after_start(self) -> None:
        """Price changes and sell-outs become `items` records when they happen."""
        for change in self.shelf.changes:
            self.timeline.moment(change.ts_ms, lambda ts, c=change: self._change(c))  # type: ignore[misc]

    def _change(self, change: Change) -> None:
        self.shelf.price[change.row], self.shelf.available[change.row] = change.price, change.available
        self._live = (-(10**9), self._live[1])
        ts = self.timeline.now_ms
        if self.shelf.posted_ms[change.row] <= ts < self.shelf.gone_ms[change.row]:
            record = self.shelf.record(change.row)
            self.timeline.record(ts, "items", record["key"], record["value"])

    def user_record(self, p: int, ts_ms: int) -> Record:
        """What the shop was told; a third left a saved search behind."""
        town, who = TOWNS[int(self.people.town[p])], self.shoppers
        department = DEPARTMENTS[int(who.department[p])]
        query = f"{department.styles[int(who.style[p])]} {department.name}".lower()
        value: Record = {
            "user_id": self.people.ids[p],
            "ts_ms": ts_ms,
            "locale": {"US": "en-US", "GB": "en-GB", "IE": "en-IE"}.get(town.country, f"en-{town.country}"),
            "location": town.location(),
            "segment": SEGMENTS[int(self.people.rhythms.segment[p])],
            "email_opt_in": bool(self.people.opt_in[p]),
            "frequency": "daily",
            "alerts": [{"alert_id": f"al{p}", "query": query}] if p % 3 == 0 else [],
        }
        if self.people.tz_known[p]:
            value["tz"] = town.tz
        return {"topic": "users", "key": self.people.ids[p], "value": value}
