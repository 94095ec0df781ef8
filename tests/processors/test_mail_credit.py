"""Machines that give themselves away by nothing but their haste, told before or after the send: people alone count."""

from itertools import permutations

import pytest

from processors.mail_credit import reward_of, take_response, take_send
from processors.sending import Sending
from schemas.behaviour import Click, Open, Send
from tests.processors.market import NOW_MS

SENT = Send(event_id="s", user_id="u", ts_ms=NOW_MS, send_id="m")
BY_MACHINE = (
    Open(event_id="mo", user_id="u", ts_ms=NOW_MS + 4_000, send_id="m"),
    Click(event_id="mc", user_id="u", ts_ms=NOW_MS + 5_000, send_id="m"),
)
OPENED = Open(event_id="o", user_id="u", ts_ms=NOW_MS + 3_600_000, send_id="m")
CLICKED = Click(event_id="c", user_id="u", ts_ms=NOW_MS + 3_660_000, send_id="m")


@pytest.mark.parametrize(("by_people", "reward"), [((), 0.0), ((OPENED,), 0.25), ((OPENED, CLICKED), 1.0)])
def test_machines_count_for_nothing_and_hide_nobody(by_people: tuple[Open | Click, ...], reward: float) -> None:
    for order in permutations([SENT, *BY_MACHINE, *by_people]):
        state = Sending()
        for event in order:
            if isinstance(event, Send):
                take_send(state, event, "UTC", 0.0)
            else:
                take_response(state, event)
        (mail,) = state.mails
        assert reward_of(mail) == reward
        assert mail.clicked_s == (CLICKED.ts_ms // 1000 if CLICKED in by_people else 0)
        assert mail.opened_s == (OPENED.ts_ms // 1000 if by_people else 0)
