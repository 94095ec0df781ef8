"""What a send-time decision costs: `python -m benchmarks.send_decision`. CPU time, median of rounds, as JSON."""

import json
import random
import time
from statistics import median

import msgspec
import numpy as np

from processors.hour_tables import HoursView, HourTables
from processors.mail_rules import MailRules
from processors.profile import Action, Profile, Stated
from processors.send_decision import LEARNED, decide, known_of
from processors.sending import SENT, Mail, Sending
from schemas.mail_labels import MailLabel

NOW_MS = 1_743_033_600_000
DAY_MS = 86_400_000
ROUNDS, PEOPLE = 9, 400


def person(rng: random.Random) -> Profile:
    """Everything full: sixteen mails, fifty actions, all hours."""
    hours = np.array([rng.random() for _ in range(48)], "<f4").tobytes()
    mails = [
        Mail(n, (NOW_MS - (48 - 3 * n) * DAY_MS) // 1000 + 40_000, rng.randrange(48), 120_000, 0, 0, SENT, 5)
        for n in range(16)
    ]
    actions = [Action(NOW_MS - (60 - n) * DAY_MS + rng.randrange(DAY_MS), "views", n, f"i{n}", 0) for n in range(50)]
    state = Sending(day=NOW_MS // DAY_MS, successes=hours, exposure=hours, activity=hours, mails=mails)
    state.told_zone, state.mailed = "Europe/Berlin", bytes(400)
    stated = {"tz": Stated(0, "users", "Europe/Berlin"), "segment": Stated(0, "users", "early")}
    return Profile(actions=actions, stated=stated, sending=state, totals={"users": 1})


def learned() -> HoursView:
    """Tables that have seen ten thousand mails of people whose activity tells."""
    rng, tables, view = np.random.default_rng(2), HourTables(), HoursView()
    for n in range(10_000):
        peak, slot = n % 16, int(rng.integers(16))
        activity = np.zeros(48)
        activity[[peak + 7, (peak + 8) % 24, peak + 31]] = 4.0
        reward = float(rng.random() < (0.3 if abs(slot - peak) < 3 else 0.1))
        nothing = bytes(96)
        label = MailLabel(
            n, NOW_MS, slot + 7, "early", reward, 0.15, nothing, nothing, activity.astype("<f2").tobytes()
        )
        tables.learn_label(label, n)
    for segment, hours in tables.by_segment.items():
        view.put(segment, hours.row())
    return view


def main() -> None:
    """Print one line of JSON."""
    rng = random.Random(1)
    people = [person(rng) for _ in range(PEOPLE)]
    view, rules = learned(), MailRules()
    costs = []
    for _ in range(ROUNDS):
        started_s = time.process_time()
        for n, profile in enumerate(people):
            state = profile.sending
            assert state is not None
            known = known_of(profile, state, f"u{n}", view, NOW_MS)
            decide(profile, state, known, view, rules, NOW_MS, "d", 0.5, 0, LEARNED)
        costs.append((time.process_time() - started_s) / PEOPLE * 1e6)
    size = len(msgspec.msgpack.encode(people[0].sending))
    print(json.dumps({"us_per_decision": round(median(costs), 1), "state_bytes": size}))


if __name__ == "__main__":
    main()
