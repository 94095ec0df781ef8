"""What a marketer sets for mail: `[packs.NAME.mail]`, or for one campaign `[packs.NAME.mail.campaigns.CAMPAIGN]`."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from msgspec import Meta, Struct

from schemas.decisions import Campaign

HourOfDay = Annotated[int, Meta(ge=0, le=23)]
EndOfHours = Annotated[int, Meta(ge=1, le=24)]
Share = Annotated[float, Meta(ge=0.0, le=0.5)]
Wait = Annotated[int, Meta(ge=1, le=168)]
Rate = Annotated[int, Meta(ge=1)]


class CampaignRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What one campaign has of its own; None: as the pack says."""

    window_from_hour: HourOfDay | None = None
    window_to_hour: EndOfHours | None = None
    fallback_hour: HourOfDay | None = None
    deadline_h: Wait | None = None
    max_per_minute: Rate | None = None
    holidays: tuple[date, ...] | None = None


class MailRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours are local to the person.

    Raises ValueError where no hour is left to write in, or the fallback hour is none of those.
    """

    window_from_hour: HourOfDay = 7
    window_to_hour: EndOfHours = 23
    """A mail may begin its way from `window_from_hour` until before this."""
    quiet_from_hour: HourOfDay = 23
    quiet_to_hour: HourOfDay = 7
    """Nothing goes from the one until the other, over midnight too; equal: no quiet hours."""
    fallback_hour: HourOfDay = 10
    """When mail goes to people of whose zone nothing is known, and what the lift of an hour is measured against."""
    holidays: tuple[date, ...] = ()
    """Days of the person's calendar on which nothing goes."""
    deadline_h: Wait = 24
    """How long a mail that may go waits for a better hour."""
    max_per_minute: Rate | None = None
    """Mails that become due in a minute, of all workers together; the others wait their turn."""
    max_per_day: Annotated[int, Meta(ge=1, le=24)] = 1
    """By the person's calendar."""
    max_per_week: Annotated[int, Meta(ge=1, le=16)] = 4
    """In any 168 hours."""
    dormant_after_d: Annotated[int, Meta(ge=1)] = 30
    dormant_gap_d: Annotated[int, Meta(ge=1)] = 14
    """Who did nothing by themselves for so long gets one mail in so many days."""
    min_new_items: Annotated[int, Meta(ge=0, le=50)] = 1
    """Fewer items that are new to the person are no content; an empty list never is any."""
    max_items: Annotated[int, Meta(ge=1, le=50)] = 10
    budget_per_week: Annotated[float, Meta(gt=0.0, le=16.0)] = 3.0
    """Mails a week to the average person that are aimed at: the price of a mail rises while there are more."""
    leave_cost: Annotated[float, Meta(ge=0.0, le=1_000.0)] = 4.0
    """What somebody who leaves costs, in apply-starts."""
    explored: Share = 0.02
    """Share of mails that are withheld at random, and of those not worth it that go nevertheless."""
    holdout: Share = 0.05
    """People who never get mail, drawn by a hash: what all mail is worth is known from them."""
    campaigns: Mapping[Campaign, CampaignRules] = {}

    def __post_init__(self) -> None:
        for campaign in (None, *self.campaigns):
            rules = self if campaign is None else _merged(self, self.campaigns[campaign])
            allowed = [hour for hour in range(24) if rules.allows(hour)]
            place = "" if campaign is None else f"campaigns.{campaign}: "
            if not allowed:
                raise ValueError(f"{place}window_from_hour, window_to_hour and quiet hours leave no hour to write in")
            if rules.fallback_hour not in allowed:
                raise ValueError(f"{place}fallback_hour must be an hour that mail may go in, not {rules.fallback_hour}")

    def allows(self, hour: int) -> bool:
        """Whether mail may go in a local hour of the day.

        >>> [hour for hour in range(24) if MailRules(window_to_hour=11).allows(hour)]
        [7, 8, 9, 10]
        """
        return hour in self.clocks

    @property
    def holiday_days(self) -> frozenset[int]:
        """The holidays as days since 1970-01-01.

        >>> sorted(MailRules(holidays=(date(1970, 1, 2),)).holiday_days)
        [1]
        """
        return _days(self.holidays)

    @property
    def clocks(self) -> tuple[int, ...]:
        """The local hours of the day in which mail may go."""
        return _clocks(self.window_from_hour, self.window_to_hour, self.quiet_from_hour, self.quiet_to_hour)

    def of(self, campaign: Campaign) -> "MailRules":
        """The rules of one campaign."""
        own = self.campaigns.get(campaign)
        return self if own is None else _merged(self, own)


@lru_cache(maxsize=64)
def _days(holidays: tuple[date, ...]) -> frozenset[int]:
    return frozenset((day - date(1970, 1, 1)).days for day in holidays)


@lru_cache(maxsize=256)
def _clocks(first: int, end: int, quiet_from: int, quiet_to: int) -> tuple[int, ...]:
    def is_quiet(hour: int) -> bool:
        if quiet_from <= quiet_to:
            return quiet_from <= hour < quiet_to
        return hour >= quiet_from or hour < quiet_to

    return tuple(hour for hour in range(first, end) if not is_quiet(hour))


@lru_cache(maxsize=64)
def _fields(own: CampaignRules) -> tuple[tuple[str, Any], ...]:
    values = ((field, getattr(own, field)) for field in CampaignRules.__struct_fields__)
    return tuple((field, value) for field, value in values if value is not None)


def _merged(rules: MailRules, own: CampaignRules) -> MailRules:
    values = {field: getattr(rules, field) for field in MailRules.__struct_fields__}
    return MailRules(**{**values, "campaigns": {}, **dict(_fields(own))})
