"""What a send-time decision costs: `python -m benchmarks.send_decision`. CPU time, median of rounds, as JSON."""

import json
import random
import time
from statistics import median

import msgspec
import numpy as np

from processors.campaigns import ledger
from processors.hour_tables import HoursView, HourTables
from processors.mail_credit import MILLION
from processors.mail_rules import MailRules
from processors.pack import Pack
from processors.profile import Action, Profile, Stated
from processors.replica import Replica
from processors.send_decision import LEARNED, decide, known_of
from processors.sending import DECIDED, MAX_MAILS, SENT, STARTED, STORED, TAUGHT, Mail, Plan, Sending
from processors.sending_wire import packed
from schemas.mail_labels import MailLabel

NOW_MS = 1_743_033_600_000
DAY_MS = 86_400_000
ROUNDS, PEOPLE = 51, 400


def mail(rng: random.Random, at_ms: int, clicked: bool) -> Mail:
    """One that was opened within a day."""
    at_s = at_ms // 1000
    opened_s = at_s + rng.randrange(20, 86_400)
    flags = DECIDED | SENT | TAUGHT | STARTED
    expected = rng.randrange(100_000, MILLION)
    return Mail(
        rng.getrandbits(32), at_s, rng.randrange(48), expected, opened_s + 60 if clicked else 0, opened_s, flags, 9
    )


def person(rng: random.Random, replica: Replica) -> Profile:
    """Everything full: sixteen mails, all opened and a quarter clicked, fifty actions, all hours, the ledger."""
    hours = np.array([rng.random() for _ in range(48)], STORED).tobytes()
    mails = [mail(rng, NOW_MS - (48 - 3 * n) * DAY_MS + 40_000_000, clicked=n % 4 == 0) for n in range(MAX_MAILS)]
    actions = [Action(NOW_MS - (60 - n) * DAY_MS + rng.randrange(DAY_MS), "views", n, f"i{n}", 0) for n in range(50)]
    state = Sending(NOW_MS, day=NOW_MS // DAY_MS, successes=hours, exposure=hours, activity=hours, mails=mails)
    state.plan = Plan(NOW_MS, 9, "Europe/Berlin")
    state.sends, state.seen_ms, state.looked_ms = rng.random(), NOW_MS, NOW_MS
    state.told_zone = "Europe/Berlin"
    for day in range(15):
        ledger.note(state, [f"i{day}-{n}" for n in range(10)], NOW_MS - (15 - day) * DAY_MS, replica)
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
    replica = Replica(Pack(name="jobs"))
    people = [person(rng, replica) for _ in range(PEOPLE)]
    view, rules = learned(), MailRules()
    costs: list[float] = []
    for _ in range(ROUNDS):
        started_s = time.process_time()
        for n, profile in enumerate(people):
            state = profile.sending
            assert state is not None
            known = known_of(profile, state, f"u{n}", view, NOW_MS)
            decide(profile, state, known, view, rules, NOW_MS, "d", 0.5, 0, LEARNED)
        costs.append((time.process_time() - started_s) / PEOPLE * 1e6)
    assert people[0].sending is not None
    size = len(msgspec.msgpack.encode(packed(people[0].sending)))
    print(json.dumps({"us_per_decision": round(median(costs), 1), "least": round(min(costs), 1), "state_bytes": size}))


if __name__ == "__main__":
    main()
