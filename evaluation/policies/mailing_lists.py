"""Lists and mails as the pipeline itself decides them: its plans, its refusals, its digests (docs/sending.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush

import msgspec

from evaluation.policies.lists import SIZE, Items, as_items
from evaluation.policies.model_lists import LiveLists
from processors.effects import Effect, Mailing, Planned, Wake
from processors.mailing import replan
from processors.pack import Pack
from processors.pipeline import Rules
from processors.profile import Profile
from processors.randomness import Randomness
from processors.replica import Replica
from processors.retrieval import everything
from processors.send_decision import HourModel
from processors.taste import taste_of
from processors.ways import Ways
from schemas.decisions import Digest

Instead = Callable[[str, int, Profile, Replica], Items]
"""``instead(user_id, now_ms, profile, replica)``: the items that replace the pipeline's, on the site and in mails."""


class MailingLists(LiveLists):
    """The pipeline with its mail. Nothing is planned before `open`: the world's history is nobody's to mail in."""

    def __init__(
        self, pack: Pack, hours: HourModel, instead: Instead | None = None, always: bool = False, campaigns: bool = True
    ) -> None:
        super().__init__(pack)
        self._ways = Ways(hours=hours, campaigns=campaigns, always=always)
        self._instead = instead
        self._dues: list[tuple[int, bytes]] = []
        self.refused: Counter[str] = Counter()
        """Suppressions published, by kind."""

    def open(self, now_ms: int) -> None:
        """From now on there is mail."""
        driver = self.driver
        driver.rules = Rules(ways=self._ways)
        for key, profile in driver.profiles.items():
            cause_id = f"open-{key.decode()}"
            self.note(key, replan(profile, key.decode(), cause_id, None, now_ms, driver.replica, self._ways))

    def next_due_ms(self) -> int | None:
        """When somebody is to be looked at next."""
        return self._dues[0][0] if self._dues else None

    def is_due(self, now_ms: int) -> bool:
        """Whether somebody is to be looked at by `now_ms`."""
        return bool(self._dues) and self._dues[0][0] <= now_ms

    def due(self, now_ms: int) -> Digest | None:
        """Look at the person who is due first, at `now_ms`; the mail that goes, if one does."""
        due_ms, key = heappop(self._dues)
        self.driver.catch_up(now_ms)
        effects = self.driver.mail_due(key, due_ms)
        self.note(key, effects)
        for effect in effects:
            if isinstance(effect, Mailing):
                return self._with_items(effect.digest, now_ms)
        return None

    def note(self, key: bytes, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Wake) and effect.kind == "mail":
                heappush(self._dues, (effect.due_ms, key))
            elif isinstance(effect, Planned) and effect.decision.suppressed is not None:
                self.refused[effect.decision.suppressed] += 1

    def _with_items(self, digest: Digest, now_ms: int) -> Digest:
        if self._instead is None:
            return digest
        profile = self.driver.profiles[digest.user_id.encode()]
        items = self._instead(digest.user_id, now_ms, profile, self.driver.replica)
        return msgspec.structs.replace(digest, items=items[: len(digest.items)])  # longer mails have more clicks

    def _for_site(self, user_id: str, now_ms: int, list_id: str) -> Items:
        if self._instead is None:
            return super()._for_site(user_id, now_ms, list_id)
        self.driver.catch_up(now_ms)
        profile = self.driver.profiles.get(user_id.encode()) or Profile()
        return self._instead(user_id, now_ms, profile, self.driver.replica)


def drawn_evenly(user_id: str, now_ms: int, profile: Profile, replica: Replica) -> Items:
    """Whatever may be shown to a person, drawn evenly; whether a mail goes is decided by the true list."""
    rows = everything(taste_of(profile, now_ms, replica), now_ms, replica).rows
    rng = Randomness(f"random-items/{user_id}/{now_ms}").generator
    drawn = rng.choice(rows, size=min(SIZE, len(rows)), replace=False).tolist()
    return as_items([replica.catalogue.item_id(row) for row in drawn], "random")


def always(pack: Pack) -> Pack:
    """A mail every day to everybody who consents, whenever there is anything at all, be it the same items again."""
    daily = msgspec.structs.replace(
        pack.mail, max_per_week=7, min_new_items=0, dormant_gap_d=1, holdout=0.0, explored=0.0
    )
    repeats = msgspec.structs.replace(pack.occasions, repeat_after_d=0.01)
    return msgspec.structs.replace(pack, mail=daily, occasions=repeats)
