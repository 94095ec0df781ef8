"""Credit for mails: what followed a send within 48 hours belongs to the hour of the *send*, never to that of the open.

Rewards: 1 for a click or an apply-start, a quarter for an open alone; of several the largest counts, once. A send that
is not yet 48 hours old has been exposed as far as people click by then: G(age), the share of clicks that have come.
"""

from math import exp, exp2
from typing import Final, cast

from processors.identity import hash64
from processors.machine_mail import SECONDS, acted_at_once, is_machine
from processors.sending import (
    DECIDED,
    LEFT,
    MAX_MAILS,
    SENT,
    SILENCE,
    STARTED,
    SUCCESS_HALF_LIFE_D,
    Mail,
    Sending,
    added,
    advance,
    read_hours,
)
from processors.week import DAY_MS, FOLD, Doubles
from processors.zones import local_slot
from schemas.behaviour import Click, Open, Send

WINDOW_S: Final = 48 * 3_600
WINDOW_MS: Final = 1_000 * WINDOW_S
OPEN_REWARD: Final = 0.25
MEDIAN_DELAY_S: Final = 2.5 * 3_600.0
"""Until half of the clicks have come, before any were seen (docs/sending.md)."""
MILLION: Final = 1_000_000
HALF_LIFE_S: Final = 86_400.0 * SUCCESS_HALF_LIFE_D


def mail_id(send_id: str) -> int:
    """What a mail is known by in the profile: 32 bits are enough for sixteen of them."""
    return hash64(send_id) & 0xFFFF_FFFF


def entry(state: Sending, send_id: str, at_s: int) -> Mail:
    """The mail's entry, made at its first mention. Making room settles the oldest mail."""
    known = mail_id(send_id)
    for mail in state.mails:
        if mail.id == known:
            return mail
    mail = Mail(known, at_s)
    state.mails.append(mail)
    return mail


def take_send(state: Sending, event: Send, zone: str, expected: float) -> None:
    """A mail went out, ours or somebody else's. `expected`: the reward to expect of one that was not decided here."""
    at_s = event.ts_ms // 1000
    mail = entry(state, event.send_id, at_s)
    if not mail.flags & (DECIDED | SENT):
        mail.expected = round(expected * MILLION)
    mail.at_s = at_s
    mail.clicked_s = _unless_at_once(mail.clicked_s, at_s)
    mail.opened_s = _unless_at_once(mail.opened_s, at_s)
    mail.slot = int(FOLD[local_slot(zone, event.ts_ms)])
    mail.flags |= SENT
    settle(state)


def take_response(state: Sending, event: Open | Click) -> bool:
    """An open or a click; returns whether a person may have made it."""
    if is_machine(event):
        return False
    ts_s = event.ts_ms // 1000
    mail = entry(state, event.send_id, ts_s)
    if mail.flags & (SENT | DECIDED) == 0:
        mail.at_s = min(mail.at_s, ts_s)
    elif acted_at_once(ts_s, mail.at_s):
        return False
    if isinstance(event, Click):
        mail.clicked_s = _first(mail, mail.clicked_s, ts_s)
    else:
        mail.opened_s = _first(mail, mail.opened_s, ts_s)
    settle(state)
    return True


def take_visit(state: Sending, send_id: str, ts_ms: int) -> None:
    """Somebody came through a link of this mail: a click, even where no `clicks` event tells."""
    ts_s = ts_ms // 1000
    mail = entry(state, send_id, ts_s)
    mail.clicked_s = _first(mail, mail.clicked_s, ts_s)
    settle(state)


def take_start(state: Sending, ts_ms: int) -> None:
    """An apply-start: it follows every mail, and every mail withheld, of the 48 hours before it."""
    ts_s = ts_ms // 1000
    for mail in state.mails:
        if 0 <= ts_s - mail.at_s <= WINDOW_S and mail.flags & (SENT | DECIDED | SILENCE):
            mail.flags |= STARTED


def take_leave(state: Sending, ts_ms: int) -> None:
    """Somebody left: the mail before it, within 48 hours, had a part in that."""
    ts_s = ts_ms // 1000
    before = [mail for mail in state.mails if 0 <= ts_s - mail.at_s <= WINDOW_S and mail.flags & (SENT | DECIDED)]
    if before:
        before[-1].flags |= LEFT


def reward_of(mail: Mail) -> float:
    """What the mail has earned so far, in [0, 1].

    >>> reward_of(Mail(1, 100, clicked_s=4_000, flags=SENT)), reward_of(Mail(1, 100, opened_s=101, flags=SENT))
    (1.0, 0.0)
    """
    at_s, clicked_s, opened_s = mail.at_s, mail.clicked_s, mail.opened_s
    if clicked_s and SECONDS <= clicked_s - at_s <= WINDOW_S:
        return 1.0
    return OPEN_REWARD if opened_s and SECONDS <= opened_s - at_s <= WINDOW_S else 0.0


def share_come(age_s: float, median_s: float = MEDIAN_DELAY_S) -> float:
    """G(age): the share of the clicks of 48 hours that have come by `age_s`, were delays exponential.

    >>> share_come(MEDIAN_DELAY_S), share_come(WINDOW_S), share_come(-5.0)
    (0.5, 1.0, 0.0)
    """
    if age_s >= WINDOW_S:
        return 1.0
    return 1.0 - exp(-0.6931471805599453 * max(age_s, 0.0) / median_s)


def credited(state: Sending, now_ms: int, before_ms: int | None = None) -> tuple[Doubles, Doubles, float]:
    """Successes and exposure by slot, and how many mails they are of, as of `now_ms`, mails under way included.

    Mails from `before_ms` on are left out.
    """
    successes = read_hours(state.successes, state.day, now_ms, SUCCESS_HALF_LIFE_D)
    exposure = read_hours(state.exposure, state.day, now_ms, SUCCESS_HALF_LIFE_D)
    sends = state.sends * 2.0 ** ((state.day - now_ms // DAY_MS) / SUCCESS_HALF_LIFE_D)
    now_s = now_ms // 1000
    until_s = now_s + 1 if before_ms is None else before_ms // 1000
    won = cast("memoryview[float]", successes.data)  # single numbers, in half the time
    due = cast("memoryview[float]", exposure.data)
    for mail in state.mails:
        at_s, slot = mail.at_s, mail.slot
        if slot < 0 or at_s >= until_s or not mail.flags & SENT:
            continue
        age_s = now_s - at_s
        weight = exp2(-age_s / HALF_LIFE_S)
        exposed = weight if age_s >= WINDOW_S else weight * share_come(age_s)
        sends += exposed
        due[slot] += exposed * mail.expected / MILLION
        if (mail.clicked_s or mail.opened_s) and (reward := reward_of(mail)):
            won[slot] += weight * reward
    return successes, exposure, sends


def settle(state: Sending) -> None:
    """Keep the latest mails; what the others earned goes to the hours of their sends."""
    mails = state.mails
    mails.sort(key=_place)
    while len(mails) > MAX_MAILS:
        mail = mails.pop(0)
        if not mail.flags & SENT or mail.slot < 0:
            continue
        ts_ms = mail.at_s * 1000
        advance(state, ts_ms)
        state.sends += 2.0 ** ((ts_ms // DAY_MS - state.day) / SUCCESS_HALF_LIFE_D)
        if reward := reward_of(mail):
            state.successes = added(state.successes, state.day, mail.slot, ts_ms, reward, SUCCESS_HALF_LIFE_D)
        if mail.expected:
            expected = mail.expected / MILLION
            state.exposure = added(state.exposure, state.day, mail.slot, ts_ms, expected, SUCCESS_HALF_LIFE_D)


def _first(mail: Mail, known_s: int, ts_s: int) -> int:
    """The earlier of two acts, `known_s` 0 for none; while the send is not known, the one that no machine did.

    A machine acts within seconds of the send, so that of what follows the first response by more, none is a machine's.
    """
    first_s, later_s = min(known_s or ts_s, ts_s), max(known_s, ts_s)
    in_doubt = not mail.flags & SENT and acted_at_once(first_s, mail.at_s)
    return later_s if in_doubt and not acted_at_once(later_s, mail.at_s) else first_s


def _unless_at_once(acted_s: int, sent_s: int) -> int:
    return 0 if acted_at_once(acted_s, sent_s) else acted_s


def _place(mail: Mail) -> tuple[int, int]:
    return mail.at_s, mail.id
