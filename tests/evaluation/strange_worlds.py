"""Two worlds as strangers would write them: by the letter of the protocol, and otherwise as unlike ours as can be."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Record = dict[str, Any]
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


class Kiosk:
    """Knows hardly anything: bare items, bare users who appear late, no history, no truth; numbers of NumPy, times as
    floats, a start in the middle of an hour, and lists asked for at any time for anybody.
    """

    start_ms = 1_740_962_000_000.0

    def __init__(self, seed: int, users: int, days: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.users, self.reached = users, self.start_ms
        self.mails: list[tuple[float, Record]] = []
        self.slates = 0
        self.clicks = np.int64(0)

    def catalogue(self) -> list[Record]:
        return [{"topic": "items", "key": f"i{n}", "value": {"item_id": f"i{n}", "title": "tea"}} for n in range(15)]

    def history(self) -> tuple[Record, ...]:
        return ()

    def advance(self, until_ms: float, slate: Callable[[str, float], Record | None]) -> list[Record]:
        out: list[tuple[float, Record]] = []
        for n in range(self.users):
            joined = self.start_ms + n * HOUR_MS
            if self.reached <= joined < until_ms:
                out.append(
                    (joined, self._event("searches", n, joined, query="tea"))
                )  # before anything is known of them
                out.append((joined, {"topic": "users", "key": f"p{n}", "value": {"user_id": f"p{n}"}}))
        for at in np.arange(self.reached, until_ms, 7 * HOUR_MS):
            n = int(self.rng.integers(self.users))
            for when in (at, at - 5 * DAY_MS, at + 5 * DAY_MS, self.start_ms - 400 * DAY_MS):
                self.slates += slate(f"p{n}", when) is not None
            self.slates += slate("nobody at all", at) is not None
            out.append((at, self._event("views", n, at, item_id=f"i{self.rng.integers(15)}")))
        for at, mail in [mail for mail in self.mails if mail[0] < until_ms]:
            n = int(mail["user_id"][1:])
            extra = {"send_id": mail["digest_id"], "item_id": mail["items"][0]["item_id"]}
            out.append((at, self._event("clicks", n, at, **extra)))
            self.clicks += 1
        self.mails = [mail for mail in self.mails if mail[0] >= until_ms]
        self.reached = until_ms
        return [record for _, record in sorted(out, key=lambda pair: pair[0])]

    def deliver(self, decision: Record, at_ms: int) -> None:
        self.mails.append((at_ms + 30_000.0, decision["value"]))

    def outcomes(self) -> dict[str, Any]:
        return {"clicks": self.clicks, "slates": self.slates, "cohort.everybody.clicks": float(self.clicks)}

    def _event(self, topic: str, n: int, at: float, **more: Any) -> Record:
        value = {"event_id": f"{topic}{n}-{at:.0f}", "user_id": f"p{n}", "ts_ms": at, **more}
        return {"topic": topic, "key": f"p{n}", "value": value}


class Bazaar:
    """All that may happen at once: foreign ids, people and goods that go, forgotten people, prices that change in the
    history, machine opens, mails to people who left; `truth` that likes one item, and more arguments.
    """

    start_ms = 1_735_689_600_000

    def __init__(self, seed: int, users: int, days: int, *, stalls: int = 12, **more: Any) -> None:
        assert users >= 4
        self.luck, self.names = random.Random(seed), [f"дом {n}/ü" for n in range(users)]
        self.goods, self.days, self.coming = [f"товар-{n}" for n in range(stalls)], days, []
        self.got = 0

    def catalogue(self) -> Iterator[Record]:
        for name in self.names:  # people before goods
            row = {"user_id": name, "tz": "Mars/Olympus", "email_opt_in": True, "ts_ms": self.start_ms + 9 * DAY_MS}
            yield {"topic": "users", "key": name, "value": row}
        for n, good in enumerate(self.goods):
            yield {"topic": "items", "key": good, "value": {"item_id": good, "price": self._price(n), "kind": "thing"}}

    def history(self) -> Iterator[Record]:
        for n, good in enumerate(self.goods):
            row = {"item_id": good, "title": f"ковёр {n}", "price": self._price(n + 1), "available": n > 0}
            yield {"topic": "items", "key": good, "value": row}
        for n in range(30):
            yield self._event("views", self.names[n % 4], self.start_ms - 1, f"h{n}", item_id=self.goods[n % 12])

    def advance(self, until_ms: int, slate: Callable[[str, int], Record | None]) -> Iterator[Record]:
        for record in sorted((r for r in self.coming if r["value"]["ts_ms"] < until_ms), key=self._at):
            self.coming.remove(record)
            yield record
            if record["topic"] == "clicks":
                shown = slate(record["key"], record["value"]["ts_ms"])
                assert shown is None or shown["value"]["items"]
        if self.got > 3 and self.goods:
            yield {"topic": "items", "key": self.goods.pop(), "value": None}
        if self.got > 5 and self.names:
            name = self.names.pop()
            yield {"topic": "users", "key": name, "value": None}

    def deliver(self, decision: Record, at_ms: int) -> None:
        mail = decision["value"]
        assert mail["user_id"] in self.names or self.got > 5
        self.got += 1
        for n, topic in enumerate(("opens", "clicks", "unsubscribes" if self.got % 7 == 0 else "dismissals")):
            more = {"send_id": mail["digest_id"]} if topic != "dismissals" else {}
            more |= {"item_id": mail["items"][0]["item_id"]} if topic in ("clicks", "dismissals") else {}
            self.coming.append(self._event(topic, mail["user_id"], at_ms + n, f"{mail['digest_id']}.{n}", **more))
        if self.got == 2:
            self.coming.append(self._event("erasures", mail["user_id"], at_ms + 9, f"{mail['digest_id']}.9"))

    def truth(self, user_id: str, item_id: str | None, ts_ms: int) -> float:
        return 0.5 if item_id == "товар-3" else 0.1

    def outcomes(self) -> dict[str, float]:
        return {"mails": self.got, "happiness": 0.5}

    def _price(self, n: int) -> dict[str, Any]:
        return {"amount": 3 + n, "currency": "TRY"}

    def _at(self, record: Record) -> int:
        at_ms: int = record["value"]["ts_ms"]
        return at_ms

    def _event(self, topic: str, name: str, at: int, event_id: str, **more: Any) -> Record:
        return {"topic": topic, "key": name, "value": {"event_id": event_id, "user_id": name, "ts_ms": at, **more}}
