"""Opens and clicks that no person made: privacy proxies fetch every image, scanners follow every link.

They carry no signal about anybody's hours. Apple's Mail Privacy Protection and security scanners identify themselves as
exactly `Mozilla/5.0`, or act within seconds of the send.
"""

from typing import Final

from schemas.behaviour import Click, Open

PROXY: Final = "Mozilla/5.0"
SECONDS: Final = 15
"""An open or a click so soon after the send is a machine's."""


def is_machine(event: Open | Click) -> bool:
    """As far as the event itself tells; `acted_at_once` knows more once the send is known.

    >>> is_machine(Open(event_id="e", user_id="u", ts_ms=0, send_id="s", user_agent="Mozilla/5.0"))
    True
    """
    if isinstance(event, Open) and event.machine:
        return True
    return event.user_agent is not None and event.user_agent.strip() == PROXY


def acted_at_once(acted_s: int, sent_s: int) -> bool:
    """Whether an act follows its send so soon that no person could have."""
    return acted_s - sent_s < SECONDS
