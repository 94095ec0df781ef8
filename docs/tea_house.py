"""A tea house: guests like one sort, and read mail at their own hour.

cd docs; attune simulate --world tea_house:TeaHouse --domain shop --policy attune oracle
"""

import heapq
import random

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
SORTS = ("assam", "sencha", "oolong", "rooibos", "mint")


class TeaHouse:
    start_ms = 1_740_960_000_000  # Monday 2025-03-03 00:00 UTC

    def __init__(self, seed, users, days):
        self.seed, self.coming = seed, []
        self.likes = {f"g{n}": self._luck("likes", n).choice(SORTS) for n in range(users)}
        self.hours = {guest: self._luck("hour", guest).randrange(7, 22) for guest in self.likes}
        self.totals = dict.fromkeys(("mails", "clicks", "apply_starts", "applies"), 0.0)

    def catalogue(self):
        for n in range(40):
            yield {"topic": "items", "key": f"t{n}", "value": {"item_id": f"t{n}", "title": f"{SORTS[n % 5]} {n}"}}
        yield from ({"topic": "users", "key": g, "value": {"user_id": g, "ts_ms": 0, "tz": "UTC"}} for g in self.likes)

    def history(self):
        for n, (guest, sort) in enumerate(self.likes.items()):
            item = SORTS.index(sort) + 5 * self._luck("past", guest).randrange(8)
            yield self._event("views", guest, f"h{n}", self.start_ms - DAY_MS + n, f"t{item}")

    def advance(self, until_ms, slate):  # nobody comes without a mail here, so that nobody sees the slate
        while self.coming and self.coming[0][0] < until_ms:
            _, _, record = heapq.heappop(self.coming)
            self.totals[record["topic"]] += 1
            yield record

    def deliver(self, decision, at_ms):
        self.totals["mails"] += 1
        mail = decision["value"]
        for item_id in [item["item_id"] for item in mail["items"]]:
            guest, name, at = mail["user_id"], f"{mail['digest_id']}.{item_id}", at_ms + 60_000
            if self._luck(name).random() < self.truth(guest, item_id, at_ms):
                for n, (topic, more) in enumerate((("clicks", {"send_id": mail["digest_id"]}), ("applies", {}))):
                    event = self._event(topic, guest, f"{name}.{n}", at + n, item_id, **more)
                    heapq.heappush(self.coming, (at + n, f"{name}.{n}", event))

    def truth(self, user_id, item_id, ts_ms):  # optional: the oracles read it
        is_liked = item_id is None or SORTS[int(item_id[1:]) % 5] == self.likes[user_id]
        return (0.2 if is_liked else 0.01) / (1 + abs(ts_ms // HOUR_MS % 24 - self.hours[user_id]))

    def outcomes(self):
        return self.totals | {"apply_starts": self.totals["applies"]}

    def _event(self, topic, guest, event_id, ts_ms, item_id, **more):
        value = {"event_id": event_id, "user_id": guest, "ts_ms": ts_ms, "item_id": item_id, **more}
        return {"topic": topic, "key": guest, "value": value}

    def _luck(self, *purpose):
        return random.Random(f"{self.seed} {purpose}")
