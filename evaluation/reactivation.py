"""What writing to people who fell silent is worth: `python -m benchmarks.reactivation`.

In the jobs world half of the silent are drawn, by the pipeline's own hash, into its control arm, which is not written
to. A person enters at the first look at which they would be (30 days of silence, consent, a planned hour), and is
*reactivated* with two views or one apply-start within 14 days. Everybody who entered counts, whether or not a mail was
found worth it. The difference of the shares has Student's interval over seeds; the relative one is over the control.
Figures are simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from evaluation.policies.audience import Audience
from evaluation.policies.mailing_lists import MailingLists
from evaluation.policies.policy import pipelines_own
from evaluation.replay_file import Record
from evaluation.seed_table import mean_of
from evaluation.world_run import WorldRun
from processors.campaigns.moment import Moment
from processors.campaigns.reactivation import step_of
from processors.pack import Pack
from processors.send_decision import LEARNED
from processors.week import DAY_MS
from schemas.behaviour import Apply, View
from schemas.decisions import Digest
from simulation.world import make_world

WITHIN_MS: Final = 14 * DAY_MS
VIEWS: Final = 2


class Entered(Struct):
    """A silent person whom it was time to write to, or not to, from `at_ms`."""

    is_treated: bool
    at_ms: int
    mails: int = 0
    views: int = 0
    starts: int = 0

    @property
    def is_back(self) -> bool:
        """By the campaign's own measure."""
        return self.views >= VIEWS or self.starts > 0


class SilentLists(MailingLists):
    """The pipeline with its mail, and a note of what the silent did after their first look."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack, LEARNED)
        self.entered: dict[str, Entered] = {}

    def take(self, record: Record) -> None:
        value = record.value
        if isinstance(value, View | Apply):
            person = self.entered.get(value.user_id)
            if person is not None and value.ts_ms <= person.at_ms + WITHIN_MS:
                person.views += isinstance(value, View)
                person.starts += isinstance(value, Apply) and value.stage == "start"
        super().take(record)

    def due(self, now_ms: int) -> Digest | None:
        due_ms, key = self._dues[0]
        user_id = key.decode()
        profile = self.driver.profiles[key]
        state = profile.sending
        if user_id not in self.entered and state is not None and state.due_ms == due_ms and state.plan is not None:
            step = step_of(Moment(profile, state, user_id, now_ms, self.driver.replica))
            if step in ("due", "control"):
                self.entered[user_id] = Entered(step == "due", now_ms)
        digest = super().due(now_ms)
        if digest is not None and digest.campaign == "reactivation" and user_id in self.entered:
            self.entered[user_id].mails += 1
        return digest


class Arms(Struct, frozen=True):
    """One seed: people of each arm whose 14 days were over before the end, and how many came back."""

    seed: int
    treated: int
    treated_back: int
    control: int
    control_back: int
    mails: int
    """Of this campaign, to the treated; `control_mails` is 0 where the arm is kept."""
    control_mails: int


class Found(Struct, frozen=True):
    """All seeds. The interval is of the difference of shares, paired by seed."""

    treated_share: float
    control_share: float
    difference: float
    reach: float | None
    relative: float | None
    mails_per_person: float


def arms_of(users: int, days: int, seed: int, pack: Pack) -> Arms:
    """Live through one world."""
    half = msgspec.structs.replace(pack.occasions, reactivation_control=0.5)
    lists = SilentLists(msgspec.structs.replace(pack, occasions=half))
    world = make_world("jobs", seed, users, days)
    WorldRun(world, pipelines_own(lists), Audience(), days).finish()
    until_ms = int(world.start_ms) + days * DAY_MS - WITHIN_MS
    counted = [person for person in lists.entered.values() if person.at_ms <= until_ms]
    treated = [person for person in counted if person.is_treated]
    control = [person for person in counted if not person.is_treated]
    return Arms(
        seed,
        len(treated),
        sum(person.is_back for person in treated),
        len(control),
        sum(person.is_back for person in control),
        sum(person.mails for person in treated),
        sum(person.mails for person in control),
    )


def found_in(arms: Sequence[Arms]) -> Found:
    """Shares of all seeds together.

    >>> found = found_in([Arms(1, 100, 30, 100, 20, 300, 0), Arms(2, 100, 34, 100, 20, 300, 0)])
    >>> round(found.difference, 2), round(found.relative, 2)
    (0.12, 0.6)
    """
    treated, control = sum(a.treated for a in arms), sum(a.control for a in arms)
    treated_share = sum(a.treated_back for a in arms) / max(1, treated)
    control_share = sum(a.control_back for a in arms) / max(1, control)
    differences = [a.treated_back / max(1, a.treated) - a.control_back / max(1, a.control) for a in arms]
    _, reach = mean_of(differences)
    difference = treated_share - control_share
    return Found(
        treated_share,
        control_share,
        difference,
        reach,
        difference / control_share if control_share else None,
        sum(a.mails for a in arms) / max(1, treated),
    )
