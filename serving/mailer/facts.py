"""What a mail says about an item, in words: where, what it pays or costs, until when."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.catalogue import Item, Location, Salary
from serving.mailer.one_line import one_line

SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
DAY_MS: Final = 86_400_000
SOON_MS: Final = 3 * DAY_MS


def facts(item: Item, now_ms: int, tz: str | None) -> tuple[str, ...]:
    """The line under a title, in parts."""
    parts = [
        one_line(item.brand or "", 60),
        place(item.location, item.remote),
        pay(item.salary) if item.salary else "",
        money(item.price.amount, item.price.currency) if item.price else "",
    ]
    return tuple(part for part in parts if part)


def closing(item: Item, now_ms: int, tz: str | None) -> str:
    """When an item goes, if that is soon, by the reader's own calendar.

    >>> closing(Item(item_id="j", expires_ms=1_760_000_000_000), 1_759_900_000_000, "Europe/Berlin")
    'Closes Thursday at 10:53'
    """
    if item.expires_ms is None or not now_ms < item.expires_ms <= now_ms + SOON_MS:
        return ""
    return f"Closes {datetime.fromtimestamp(item.expires_ms / 1000, zone(tz)):%A at %H:%M}"


def zone(tz: str | None) -> ZoneInfo:
    """The reader's zone, UTC where it is unknown."""
    try:
        return ZoneInfo(tz or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def place(location: Location | None, remote: bool | None) -> str:
    """Where it is.

    >>> place(Location(city="Lyon", country="FR"), True)
    'Lyon, FR or remote'
    """
    named = ""
    if location is not None:
        named = one_line(", ".join(filter(None, (location.city, location.region or location.country))), 60)
    if remote:
        return f"{named} or remote" if named else "Remote"
    return named


def pay(salary: Salary) -> str:
    """What a job pays.

    >>> pay(Salary(min=42000, max=51000, currency="EUR"))
    '€42,000–51,000 a year'
    >>> pay(Salary(min=19.5, currency="USD", period="hour"))
    'from $19.50 an hour'
    """
    low, high = salary.min, salary.max
    if not low and not high:
        return ""
    per = f" {'an' if salary.period == 'hour' else 'a'} {salary.period}"
    if low and high and low != high:
        return f"{money(low, salary.currency)}–{_number(high)}{per}"
    word = "" if low == high else "from " if low else "up to "
    return f"{word}{money(low or high or 0.0, salary.currency)}{per}"


def money(amount: float, currency: str | None) -> str:
    """A sum as people write it.

    >>> money(1299.5, "EUR"), money(20, "CHF")
    ('€1,299.50', 'CHF 20')
    """
    sign = SIGNS.get(currency or "", f"{currency} " if currency else "")
    return f"{sign}{_number(amount)}"


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"
