"""What follows a mail, as events: what its person does, and what machines do; and what the product credits it with.

Of people with a machine, the proxy of their mail provider fetches the images of every mail within seconds, and nobody
sees any more whether they open it; of some a scanner follows the links, too. A third of machines give themselves away
by their user agent, a third are marked by the mailer, a third are known by nothing but their haste. The send and what
came within its first minute are told in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.send_world import Scene
from processors.mail_credit import OPEN_REWARD, reward_of, take_response, take_send
from processors.sending import Sending
from processors.week import DAY_MS, HOUR_MS, Doubles, Indexes
from schemas.behaviour import Click, Open, Send

Bools = npt.NDArray[np.bool_]
Credit = Callable[[Sequence[Send | Open | Click]], float]

PROXY: Final = "Mozilla/5.0"
PHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15"
BY_AGENT, BY_MARK = 0, 1
KINDS: Final = 3
MEDIAN_DELAY_MS, LEAST_DELAY_MS, MOST_DELAY_MS = 35 * 60_000, 20_000, 40 * HOUR_MS


def credited(told: Sequence[Send | Open | Click]) -> float:
    """The reward of a mail by the product's own credit, machines filtered; events in the order of arrival."""
    state = Sending()
    for event in told:
        if isinstance(event, Send):
            take_send(state, event, "UTC", 0.0)
        else:
            take_response(state, event)
    return reward_of(state.mails[0])


def taken_at_their_word(told: Sequence[Send | Open | Click]) -> float:
    """The control: whatever opens or clicks is a person."""
    if any(isinstance(event, Click) for event in told):
        return 1.0
    return OPEN_REWARD if any(isinstance(event, Open) for event in told) else 0.0


class Mailboxes:
    """Everybody's, for one scene and seed; draws of people do not depend on machines."""

    def __init__(self, scene: Scene, seed: int, credit: Credit = credited) -> None:
        self._opens, self._credit = scene.opens, credit
        self._people, self._machines = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
        self.has_machine: Bools = self._machines.random(scene.people) < scene.machines
        self._scans: Bools = self.has_machine & (self._machines.random(scene.people) < scene.scanners)
        self._kind = self._machines.integers(0, KINDS, scene.people)

    def rewards(self, day: int, slots: Indexes, chance: Doubles, clicked: Bools) -> Doubles:
        """Of a mail to everybody at `slots` of `day`; `chance` of a click, and who clicked."""
        n = len(slots)
        opened = clicked | (self._people.random(n) < np.minimum(0.9, self._opens * chance))
        delays = np.exp(self._people.normal(np.log(MEDIAN_DELAY_MS), 1.2, n))
        delays_ms = np.clip(delays, LEAST_DELAY_MS, MOST_DELAY_MS).astype(np.int64)
        soon_ms, is_late_told = self._machines.integers(1_000, 10_000, n), self._machines.random(n) < 0.5
        found = np.zeros(n)
        for p in np.flatnonzero(opened | self.has_machine).tolist():
            sent_ms = day * DAY_MS + int(slots[p]) % 24 * HOUR_MS
            told: list[Send | Open | Click] = [Send(event_id="s", user_id="u", ts_ms=sent_ms, send_id="m")]
            if self.has_machine[p]:
                told += self._by_machine(p, sent_ms + int(soon_ms[p]))
                if is_late_told[p]:
                    told.append(told.pop(0))
            acted_ms = sent_ms + int(delays_ms[p])
            if opened[p] and not self.has_machine[p]:
                told.append(Open(event_id="o", user_id="u", ts_ms=acted_ms, send_id="m", user_agent=PHONE))
            if clicked[p]:
                told.append(Click(event_id="c", user_id="u", ts_ms=acted_ms + 9_000, send_id="m", user_agent=PHONE))
            found[p] = self._credit(told)
        return found

    def _by_machine(self, p: int, ts_ms: int) -> list[Open | Click]:
        kind = int(self._kind[p])
        agent = PROXY if kind == BY_AGENT else PHONE
        mark = True if kind == BY_MARK else None
        opened = Open(event_id="mo", user_id="u", ts_ms=ts_ms, send_id="m", user_agent=agent, machine=mark)
        if not self._scans[p]:
            return [opened]
        return [opened, Click(event_id="mc", user_id="u", ts_ms=ts_ms + 200, send_id="m", user_agent=agent)]
