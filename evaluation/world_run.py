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
from evaluation.policies.mailing_lists import MailingLists
from evaluation.policies.policy import Policy
from evaluation.policies.send_rule import may_decide
from evaluation.replay_file import Record as Taken
from evaluation.world_records import checked, in_time, outcomes_of
from schemas.behaviour import Click, Event
from schemas.catalogue import User
from schemas.decisions import Digest
from simulation.world import Record, World

SCANNED_MS: Final = 15_000
"""A link followed so soon after the mail went out was followed by a machine."""
STRIDE_MS: Final = 900_000
"""The world is asked at least so often: whoever appears meanwhile has their hour on a quarter of one, still to come."""
Progress = Callable[[float], None]
"""Called with the share that is done, in [0, 1]."""


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
        self._start_ms = int(world.start_ms)
        self._now_ms = self._start_ms
        self._event_ms = -1
        """Of the last event, or up to where the world was asked."""
        self._until_ms = self._start_ms
        self._is_open = False
        self._hours: list[tuple[int, str]] = []
        self._sent_ms: dict[str, int] = {}

    def finish(self, progress: Progress = lambda share: None) -> dict[str, float]:
        """Live through all days; returns the world's `outcomes`."""
        world, start_ms = self.world, self._start_ms
        end_ms = start_ms + self.days * DAY_MS
        self._now_ms = -1
        for record in world.catalogue():
            self._take(record)
        for record in world.history():
            self._take(record)
        self._event_ms = self._now_ms = start_ms
        self._is_open = True
        mailing = self.policy.mailing
        if mailing is not None:
            mailing.open(start_ms)
        else:
            for user_id in self.audience.people:
                self._plan(user_id, first=True)
        while self._now_ms < end_ms:
            stride_ms = self._now_ms // STRIDE_MS * STRIDE_MS + STRIDE_MS
            until_ms = min([stride_ms, end_ms, *(due_ms for due_ms, _ in self._hours[:1])])
            if mailing is not None and (next_ms := mailing.next_due_ms()) is not None:
                until_ms = min(until_ms, max(next_ms, self._now_ms))
            self._advance(until_ms)
            while (
                mailing is not None and (next_ms := mailing.next_due_ms()) is not None and next_ms <= until_ms < end_ms
            ):
                self._decided_mail(mailing, until_ms)
            while self._hours and self._hours[0][0] == until_ms < end_ms:
                _, user_id = heappop(self._hours)
                self._perhaps_mail(user_id, until_ms)
                self._plan(user_id)
            progress((until_ms - start_ms) / (end_ms - start_ms))
        mails = float(sum(tally.mails for tally in self.tallies.values()))
        return {"mails": mails} | outcomes_of(world.outcomes())

    def _advance(self, until_ms: int) -> None:
        self._until_ms = until_ms
        for record in self.world.advance(until_ms, self._slate):
            self._take(record)
        self._event_ms = self._now_ms = max(self._now_ms, until_ms)

    def _take(self, record: Record) -> None:
        topic, key, fact = checked(record)
        if isinstance(fact, Event):
            in_time(fact, topic, self._event_ms, self._until_ms)
            self._event_ms = self._now_ms = fact.ts_ms
        elif isinstance(fact, User) and fact.ts_ms is not None and fact.ts_ms < self._until_ms:
            self._now_ms = max(self._now_ms, fact.ts_ms)
        taken = Taken(max(self._now_ms, 0), topic, key.encode(), fact)
        self.records += 1
        if isinstance(fact, Click) and fact.ts_ms - self._sent_ms.get(fact.send_id, fact.ts_ms) > SCANNED_MS:
            self._tally(fact.user_id).clicks += 1
        self.policy.lists.take(taken)
        newcomer = self.audience.take(taken)
        if newcomer is not None and self._is_open and self.policy.mailing is None:
            self._plan(newcomer, first=True)

    def _slate(self, user_id: str, ts_ms: int) -> Record | None:
        ts_ms = int(ts_ms)
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
        self._send(digest, now_ms)

    def _decided_mail(self, mailing: MailingLists, now_ms: int) -> None:
        digest = mailing.due(now_ms)
        if digest is not None:
            person = self.audience.people.get(digest.user_id)
            if person is not None:
                self.audience.mailed(digest.user_id, [item.item_id for item in digest.items], now_ms)
            self._send(msgspec.structs.replace(digest, due_ms=now_ms), now_ms)

    def _send(self, digest: Digest, now_ms: int) -> None:
        user_id = digest.user_id
        self._tally(user_id).mails += 1
        self._sent_ms[digest.digest_id] = now_ms
        self._until_ms = now_ms + 1
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
