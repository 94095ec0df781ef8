"""How much of the oracle's lift the learned hours reach: `python -m evaluation.send_times`.

Everybody who consents is mailed once a day, the same plain items under every policy (saved searches, else the newest),
without occasions; only the hours differ. A mail counts what the world says it is worth at its hour (`World.truth`,
typical content), the chance that its clicks are drawn from but without their noise. Share = (X - fixed) / (oracle -
fixed), where fixed is ten o'clock; paired by seed, with Student's intervals over seeds. `share` is of all mails up to
the 24th (78th) of every person, `late` of the last ten of these. Figures are simulated.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from evaluation.policies.audience import Audience
from evaluation.policies.lists import Items, Newest, SavedSearch
from evaluation.policies.mail_hours import FIXED, NO_ACTIVITY, SEGMENT_ONLY, independent_thompson, open_histogram
from evaluation.policies.mailing_lists import MailingLists, always
from evaluation.policies.oracle import true_hours
from evaluation.policies.policy import pipelines_own
from evaluation.replay_file import Record
from evaluation.seed_table import t_quantile
from evaluation.world_run import WorldRun
from processors.pack import Pack
from processors.profile import Profile
from processors.recommend import Decided
from processors.replica import Replica
from processors.send_decision import LEARNED, HourModel
from schemas.decisions import Digest
from simulation.world import World, make_world

DAYS: Final = 79
SENDS: Final = (24, 78)
LATE: Final = 10
ROWS: Final = (
    ("jobs:personal-peaks", ("attune", "no-activity")),
    ("jobs:segment-peaks", ("attune",)),
    ("jobs:no-activity-signal", ("attune", "no-activity")),
    ("jobs", ("attune",)),
    ("jobs:machine-opens", ("attune",)),
    ("jobs:no-rhythm", ("attune",)),
)
"""World and policies."""
SAYS_NOTHING: Final = frozenset({"items", "impressions", "dismissals"})
"""Topics that teach nothing about hours."""


class Worth(Struct):
    """What came of one policy under one seed: the expected clicks of mails, by a mail's number for its person."""

    values: list[list[float]] = msgspec.field(default_factory=lambda: [[] for _ in range(DAYS + 1)])

    def mean(self, first: int, last: int) -> float:
        """Of the mails from the `first` to the `last` of every person, counted from 1."""
        return float(np.mean([value for nth in self.values[first - 1 : last] for value in nth] or [0.0]))

    @property
    def mails(self) -> int:
        return sum(len(nth) for nth in self.values)


class PlainMails(MailingLists):
    """The pipeline's hours around the items of saved searches; no item model is asked or taught."""

    def __init__(self, pack: Pack, hours: HourModel, audience: Audience, world: World) -> None:
        super().__init__(always(pack), hours, self._found, always=True, campaigns=False)
        self._searches, self._newest = SavedSearch(audience), Newest(audience)
        self.driver.learns = False  # models of items; labels of mails are taught all the same
        self._world = world
        self._sent: Counter[str] = Counter()
        self.worth = Worth()
        self._ways = msgspec.structs.replace(self._ways, items=self._plain)

    def take(self, record: Record) -> None:
        self._searches.take(record)
        self._newest.take(record)
        if record.topic not in SAYS_NOTHING:
            super().take(record)

    def due(self, now_ms: int) -> Digest | None:
        digest = super().due(now_ms)
        if digest is not None:
            nth = self._sent[digest.user_id]
            self._sent[digest.user_id] += 1
            self.worth.values[nth].append(float(self._world.truth(digest.user_id, None, now_ms)))
        return digest

    def _plain(self, profile: Profile, user_id: str, now_ms: int, replica: Replica, size: int) -> Decided:
        return Decided(self._searches.mail(user_id, now_ms) or self._newest.mail(user_id, now_ms), np.zeros((0, 0)))

    def _found(self, user_id: str, now_ms: int, profile: Profile, replica: Replica) -> Items:
        return self._plain(profile, user_id, now_ms, replica, 0).items

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        return self._searches.site(user_id, now_ms)


def worth_of(world_name: str, users: int, seed: int, policy: str, pack: Pack, days: int = DAYS) -> Worth:
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
    WorldRun(world, pipelines_own(mails), audience, days).finish()
    return mails.worth


class Share(Struct, frozen=True):
    """One row: shares of the oracle's lift and the lift itself, each with the half-width of its 95% interval."""

    world: str
    sends: int
    users: int
    seeds: int
    policy: str
    share: float | None
    share_reach: float | None
    late: float | None
    late_reach: float | None
    lift: float
    lift_reach: float | None
    oracle_lift: float


def share_of(
    row: tuple[str, int, str], users: int, found: Sequence[Worth], fixed: Sequence[Worth], best: Sequence[Worth]
) -> Share:
    """Ratios of sums over seeds; the interval of the share is the linearised one of a paired ratio."""
    last = row[1]
    share, late = (_share(found, fixed, best, first, last) for first in (1, last - LATE + 1))
    base = [f.mean(1, last) for f in fixed]
    lift, lift_reach = _ratio([x.mean(1, last) - f for x, f in zip(found, base, strict=True)], base)
    top = sum(o.mean(1, last) for o in best) / sum(base) - 1.0
    return Share(*row[:2], users, len(found), row[2], *share, *late, lift, lift_reach, top)


def _share(
    found: Sequence[Worth], fixed: Sequence[Worth], best: Sequence[Worth], first: int, last: int
) -> tuple[float | None, float | None]:
    base = [f.mean(first, last) for f in fixed]
    top = [o.mean(first, last) - f for o, f in zip(best, base, strict=True)]
    if sum(top) < 0.02 * sum(base):  # no rhythm: nothing to have a share of
        return None, None
    return _ratio([x.mean(first, last) - f for x, f in zip(found, base, strict=True)], top)


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
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="the rows of one world")
    given = parser.parse_args()
    for world, policies in ROWS:
        if given.only and world != given.only:
            continue
        found = {
            policy: [
                worth_of(world, given.users, seed, policy, Pack(name="jobs")) for seed in range(1, given.seeds + 1)
            ]
            for policy in ("fixed-time", "oracle-time", *policies)
        }
        for policy in policies:
            for sends in SENDS:
                row = share_of(
                    (world, sends, policy), given.users, found[policy], found["fixed-time"], found["oracle-time"]
                )
                print(json.dumps(msgspec.to_builtins(row)), flush=True)


if __name__ == "__main__":
    main()
