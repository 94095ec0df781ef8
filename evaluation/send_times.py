"""How much of the oracle's lift the learned hours reach: `python -m evaluation.send_times`.

Everybody is mailed once a day, the same plain items under every policy (saved searches, so that lists cost nothing);
only the hours differ. A mail counts what the world says it is worth at its hour (`World.truth`, typical content), the
chance that its clicks are drawn from but without their noise. Share = (X - fixed) / (oracle - fixed), where fixed is
ten o'clock; paired by seed, with Student's intervals over seeds. Figures are simulated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from evaluation.policies.audience import Audience
from evaluation.policies.lists import Items, SavedSearch
from evaluation.policies.mail_hours import FIXED, NO_ACTIVITY, SEGMENT_ONLY, independent_thompson, open_histogram
from evaluation.policies.mailing_lists import MailingLists, always
from evaluation.policies.oracle import true_hours
from evaluation.policies.policy import Policy
from evaluation.policies.send_rule import at_ten, daily
from evaluation.replay_file import Record
from evaluation.seed_table import t_quantile
from evaluation.world_run import WorldRun
from processors.pack import Pack
from processors.profile import Profile
from processors.recommend import Decided
from processors.replica import Replica
from processors.send_decision import LEARNED, HourModel
from schemas.catalogue import Item
from schemas.decisions import Digest
from simulation.world import World, make_world

POLICIES: Final = ("attune", "no-activity", "segment-only", "open-histogram", "independent-thompson")
ROWS: Final = (
    ("jobs:personal-peaks", 24, POLICIES),
    ("jobs:personal-peaks", 78, POLICIES[:2]),
    ("jobs:segment-peaks", 78, ("attune", "segment-only")),
    ("jobs:no-activity-signal", 78, POLICIES[:2]),
    ("jobs", 78, POLICIES[:1]),
    ("jobs:machine-opens", 78, POLICIES[:1]),
    ("jobs:no-rhythm", 78, POLICIES[:1]),
)
"""World, days (so many mails a person at most), policies."""


class Worth(Struct):
    """What came of one policy under one seed: mails, and what they were worth in expected clicks."""

    mails: int = 0
    value: float = 0.0

    @property
    def mean(self) -> float:
        return self.value / max(1, self.mails)


class PlainMails(MailingLists):
    """The pipeline's hours around the items of saved searches; no item model is asked or taught."""

    def __init__(self, pack: Pack, hours: HourModel, audience: Audience, world: World) -> None:
        super().__init__(always(pack), hours, self._found, always=True)
        self._searches = SavedSearch(audience)
        self._world = world
        self.worth = Worth()
        self._ways = msgspec.structs.replace(self._ways, items=self._plain)

    def take(self, record: Record) -> None:
        self._searches.take(record)
        if not isinstance(record.value, Item) and record.topic != "items":
            super().take(record)

    def due(self, now_ms: int) -> Digest | None:
        digest = super().due(now_ms)
        if digest is not None:
            self.worth.mails += 1
            self.worth.value += float(self._world.truth(digest.user_id, None, now_ms))
        return digest

    def _plain(self, profile: Profile, user_id: str, now_ms: int, replica: Replica, size: int) -> Decided:
        return Decided(self._searches.mail(user_id, now_ms), np.zeros((0, 0)))

    def _found(self, user_id: str, now_ms: int, profile: Profile, replica: Replica) -> Items:
        return self._searches.mail(user_id, now_ms)

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        return self._searches.site(user_id, now_ms)


def worth_of(world_name: str, users: int, days: int, seed: int, policy: str, pack: Pack) -> Worth:
    """Live through one world; the hours alone differ between policies."""
    world, audience = make_world(world_name, seed, users, days), Audience()
    hours = {
        "attune": lambda: LEARNED,
        "no-activity": lambda: NO_ACTIVITY,
        "segment-only": lambda: SEGMENT_ONLY,
        "fixed-time": lambda: FIXED,
        "oracle-time": lambda: true_hours(world),
        "open-histogram": lambda: open_histogram(audience),
        "independent-thompson": lambda: independent_thompson(audience),
    }[policy]()
    mails = PlainMails(pack, hours, audience, world)
    WorldRun(world, Policy(mails, at_ten, daily, capped=False, mailing=mails), audience, days).finish()
    return mails.worth


class Share(Struct, frozen=True):
    """One row: share of the oracle's lift and the lift itself, each with the half-width of its 95% interval."""

    world: str
    days: int
    users: int
    seeds: int
    policy: str
    share: float | None
    share_reach: float | None
    lift: float
    lift_reach: float | None
    oracle_lift: float


def share_of(
    row: tuple[str, int, str], users: int, found: Sequence[Worth], fixed: Sequence[Worth], best: Sequence[Worth]
) -> Share:
    """Ratios of sums over seeds; the interval of the share is the linearised one of a paired ratio."""
    won = [x.mean - f.mean for x, f in zip(found, fixed, strict=True)]
    top = [o.mean - f.mean for o, f in zip(best, fixed, strict=True)]
    base = [f.mean for f in fixed]
    share, share_reach = _ratio(won, top) if sum(top) > 1e-9 * sum(base) else (None, None)
    lift, lift_reach = _ratio(won, base)
    return Share(*row[:2], users, len(found), row[2], share, share_reach, lift, lift_reach, sum(top) / sum(base))


def _ratio(over: Sequence[float], under: Sequence[float]) -> tuple[float, float | None]:
    n, ratio = len(over), sum(over) / sum(under)
    if n < 2:
        return ratio, None
    residuals = [x - ratio * y for x, y in zip(over, under, strict=True)]
    deviation = (sum(r * r for r in residuals) / (n - 1) / n) ** 0.5
    return ratio, t_quantile(n - 1) * deviation / abs(sum(under) / n)


def main() -> None:
    """Print the table as lines of JSON, one a row, as each is ready."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.send_times", description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="rows whose world begins so")
    given = parser.parse_args()
    for world, days, policies in ROWS:
        if given.only and world != given.only:
            continue
        found = {
            policy: [
                worth_of(world, given.users, days, seed, policy, Pack(name="jobs"))
                for seed in range(1, given.seeds + 1)
            ]
            for policy in ("fixed-time", "oracle-time", *policies)
        }
        for policy in policies:
            row = share_of((world, days, policy), given.users, found[policy], found["fixed-time"], found["oracle-time"])
            print(json.dumps(msgspec.to_builtins(row)), flush=True)


if __name__ == "__main__":
    main()
