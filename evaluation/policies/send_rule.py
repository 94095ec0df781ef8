"""When a mail goes, and whether: plain rules that learn nothing from mail, until send times are learned.

An hour rule names the local hour of a person's next mail; a mail rule looks at what there is to say. Both see the
records and nothing else. They are what the policy `attune` stands on for now, and what its ablations switch off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evaluation.policies.audience import DAY_MS, WEEK_MS, Person
from evaluation.policies.lists import Items

HourRule = Callable[[str, Person, int], int]
"""``rule(user_id, person, day_ms)``: the local hour at which to write on the local day that holds `day_ms`."""
MailRule = Callable[[Person, Items, int], bool]
"""``rule(person, items, now_ms)``: whether these items are worth a mail now."""

TEN: Final = 10
FIRST_HOUR, LAST_HOUR = 7, 22
"""Mail goes from seven until before eleven at night."""
KNOWN_FROM: Final = 6
"""Active hours of a person before their own rhythm is believed."""
SPREAD: Final = (0.25, 0.5, 1.0, 0.5, 0.25)
"""How an active hour speaks for the hours around it."""
CAP_DAY, CAP_WEEK = 1, 4
REST_MS: Final = 3 * DAY_MS
"""After a mail that was not worth sending, unless the person comes to the site."""
NEW_ITEMS: Final = 3
"""Items of a mail that were in no mail before and that the person has not looked at."""


def at_ten(user_id: str, person: Person, day_ms: int) -> int:
    """Ten o'clock, where the person lives."""
    return TEN


def most_active(user_id: str, person: Person, day_ms: int) -> int:
    """The hour at which a person is on the site most, of those in which mail may go; ten while too little is known.

    >>> from schemas.catalogue import User
    >>> person = Person(User(user_id="u"))
    >>> most_active("u", person, 0)
    10
    >>> person.active_hours[20] = 6
    >>> most_active("u", person, 0)
    20
    """
    active = person.active_hours
    if sum(active) < KNOWN_FROM:
        return TEN
    reach = len(SPREAD) // 2
    smooth = [sum(w * active[(hour + k - reach) % 24] for k, w in enumerate(SPREAD)) for hour in range(24)]
    return max(range(FIRST_HOUR, LAST_HOUR + 1), key=lambda hour: (smooth[hour], -abs(hour - TEN)))


def daily(person: Person, items: Items, now_ms: int) -> bool:
    """Whenever there is anything at all."""
    return bool(items)


def within_caps(person: Person, now_ms: int) -> bool:
    """At most one mail a day and four in seven days. A day is 20 hours here: the hour of a mail may move to earlier."""
    return (
        person.mails_within(now_ms, DAY_MS * 20 // 24) < CAP_DAY
        and person.mails_within(now_ms, WEEK_MS - DAY_MS // 6) < CAP_WEEK
    )


def may_decide(person: Person, now_ms: int) -> bool:
    """Whether it is worth finding out what there is to say: within the caps, and not shortly after there was nothing.

    The hour may move to earlier here too.
    """
    rests = now_ms - person.refused_ms < REST_MS - DAY_MS // 6 and person.seen_ms <= person.refused_ms
    return not rests and within_caps(person, now_ms)


def worth_it(person: Person, items: Items, now_ms: int) -> bool:
    """At least three items that are news to the person."""
    news = sum(item.item_id not in person.mailed and item.item_id not in person.viewed for item in items)
    return news >= NEW_ITEMS
