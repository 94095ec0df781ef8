"""One policy in one world, from its history to its last day: the runner of the protocol in `simulation/world.py`.

Every record goes to the policy as bytes would to a worker, decoded and checked. At a person's hour of the day the
policy says whether a mail goes and what it holds; the runner publishes the `sends` with the digest's id and hands the
digest to the world. Site visits ask for the list through the slate.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from heapq import heappop, heappush
from typing import Any, Final

import msgspec
from msgspec import Struct

from evaluation.policies.audience import DAY_MS, HOUR_MS, Audience
from evaluation.policies.policy import Policy
from evaluation.policies.send_rule import may_decide
from evaluation.replay_file import Record as Taken
from schemas.behaviour import Click, Event
from schemas.catalogue import User
from schemas.decisions import Digest
from schemas.decode import SCHEMAS, Invalid, decode
from simulation.world import Record, World

SCANNED_MS: Final = 15_000
"""A link followed so soon after the mail went out was followed by a machine."""
_encode: Final = msgspec.json.Encoder().encode
Progress = Callable[[float], None]
"""Called with the share that is done, in [0, 1]."""


class WorldError(ValueError):
    """The world broke the protocol; the message names the record."""


class Tally(Struct):
    """One person's mails and the links they followed in them; links that a machine followed do not count."""

    mails: int = 0
    clicks: int = 0


class WorldRun:
    """A run that is under way: `finish` goes to the end and returns what the world says came of it.

    `days` ≥ 1 after the world's start are lived through.
    """

    def __init__(self, world: World, policy: Policy, audience: Audience, days: int) -> None:
        if days < 1:
            raise ValueError(f"days must be at least 1, not {days}")
        self.world, self.policy, self.audience, self.days = world, policy, audience, days
        self.tallies: dict[str, Tally] = {}
        self.records = 0
        self._now_ms = world.start_ms
        self._is_open = False
        self._hours: list[tuple[int, str]] = []
        self._sent_ms: dict[str, int] = {}

    def finish(self, progress: Progress = lambda share: None) -> dict[str, float]:
        """Live through all days; returns the world's `outcomes`."""
        world, end_ms = self.world, self.world.start_ms + self.days * DAY_MS
        self._now_ms = -1
        for record in world.catalogue():
            self._take(record)
        for record in world.history():
            self._take(record)
        self._now_ms, self._is_open = world.start_ms, True
        for user_id in self.audience.people:
            self._plan(user_id, first=True)
        while self._hours and self._hours[0][0] < end_ms:
            due_ms, user_id = heappop(self._hours)
            self._advance(due_ms)
            self._perhaps_mail(user_id, due_ms)
            self._plan(user_id)
            progress((due_ms - world.start_ms) / (end_ms - world.start_ms))
        self._advance(end_ms)
        return world.outcomes()

    def _advance(self, until_ms: int) -> None:
        for record in self.world.advance(until_ms, self._slate):
            self._take(record)
        self._now_ms = max(self._now_ms, until_ms)

    def _take(self, record: Record) -> None:
        fact = _checked(record)
        if isinstance(fact, Event):
            self._now_ms = fact.ts_ms
        elif isinstance(fact, User) and fact.ts_ms is not None:
            self._now_ms = max(self._now_ms, fact.ts_ms)
        taken = Taken(max(self._now_ms, 0), record["topic"], record["key"].encode(), fact)
        self.records += 1
        if isinstance(fact, Click) and fact.ts_ms - self._sent_ms.get(fact.send_id, fact.ts_ms) > SCANNED_MS:
            self._tally(fact.user_id).clicks += 1
        self.policy.lists.take(taken)
        newcomer = self.audience.take(taken)
        if newcomer is not None and self._is_open:
            self._plan(newcomer, first=True)

    def _slate(self, user_id: str, ts_ms: int) -> Record | None:
        rec_id, items = self.policy.lists.site(user_id, ts_ms)
        if not items:
            return None
        value = {"rec_id": rec_id, "user_id": user_id, "surface": "site", "ts_ms": ts_ms}
        return {"topic": "recommendations", "key": user_id, "value": {**value, "items": msgspec.to_builtins(items)}}

    def _plan(self, user_id: str, first: bool = False) -> None:
        """Put the person's next hour on the clock: once on each of their days."""
        person = self.audience.people[user_id]
        day = person.local(self._now_ms)
        if not first:
            day += timedelta(days=1)
        due_ms = self._hour_of(user_id, int(day.timestamp() * 1000))
        if due_ms < self._now_ms:
            due_ms = self._hour_of(user_id, int((day + timedelta(days=1)).timestamp() * 1000))
        heappush(self._hours, (due_ms, user_id))

    def _hour_of(self, user_id: str, day_ms: int) -> int:
        person = self.audience.people[user_id]
        return person.at_hour(person.local(day_ms), self.policy.hour(user_id, person, day_ms))

    def _perhaps_mail(self, user_id: str, now_ms: int) -> None:
        person, policy = self.audience.people[user_id], self.policy
        if not person.may_be_mailed(now_ms) or (policy.capped and not may_decide(person, now_ms)):
            return
        items = policy.lists.mail(user_id, now_ms)
        if not policy.whether(person, items, now_ms):
            person.refused_ms = now_ms
            return
        self.audience.mailed(user_id, [item.item_id for item in items], now_ms)
        items = policy.lists.sent_instead(user_id, items, now_ms)
        digest = Digest(
            digest_id=f"digest-{user_id}-{now_ms // HOUR_MS}",
            user_id=user_id,
            campaign="digest",
            due_ms=now_ms,
            subject=f"{len(items)} for you",
            items=items,
        )
        self._tally(user_id).mails += 1
        self._sent_ms[digest.digest_id] = now_ms
        self._take(_sends(digest))
        self.world.deliver({"topic": "digests", "key": user_id, "value": msgspec.to_builtins(digest)}, now_ms)

    def _tally(self, user_id: str) -> Tally:
        return self.tallies.setdefault(user_id, Tally())


def _sends(digest: Digest) -> Record:
    value: dict[str, Any] = {
        "event_id": f"s-{digest.digest_id}",
        "user_id": digest.user_id,
        "send_id": digest.digest_id,
        "digest_id": digest.digest_id,
        "item_ids": [item.item_id for item in digest.items],
        "campaign": digest.campaign,
        "ts_ms": digest.due_ms,
    }
    return {"topic": "sends", "key": digest.user_id, "value": value}


def _checked(record: Record) -> Any:
    topic, key, value = record["topic"], record["key"], record["value"]
    if topic not in SCHEMAS:
        raise WorldError(f"the world yielded a record of {topic!r}, which is no input topic")
    fact = decode(topic, key.encode(), None if value is None else _encode(value))
    if isinstance(fact, Invalid):
        raise WorldError(f"the world yielded a bad {topic} record of {key!r}: {fact.field}: {fact.reason}")
    return fact
