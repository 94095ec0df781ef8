"""The last look before a mail goes: what is gone is left out, and who wants no mail gets none."""

from email.errors import MessageError
from email.headerregistry import Address
from typing import Final

from msgspec import Struct

from schemas.catalogue import Item
from schemas.decisions import Digest, RecommendedItem
from serving.mailer.known import Known, Reader

HOUR_MS: Final = 3_600_000
LATE_ACTION_MS: Final = HOUR_MS
"""What was applied for within an hour before the mail was due may have been unknown to whoever made it."""
ABOUT_ONE: Final = frozenset({"nudge", "price", "stock", "closing"})
"""Campaigns that are about their first item: without it there is no mail."""


class Fit(Struct, frozen=True):
    """What may go out, to whom."""

    digest: Digest
    reader: Reader
    to: Address
    items: tuple[tuple[RecommendedItem, Item], ...]


class Dropped(Struct, frozen=True):
    """Why no mail goes out."""

    reason: str


def last_check(digest: Digest, known: Known, now_ms: int) -> Fit | Dropped:
    """Hold a digest against what is known now."""
    reader = known.reader(digest.user_id)
    if digest.due_ms <= reader.erased_ms:
        return Dropped("erased")
    if reader.unsubscribed or reader.said("email_opt_in") is False:
        return Dropped("unsubscribed")
    if reader.paused(now_ms):
        return Dropped("paused")
    to = address_of(reader)
    if to is None:
        return Dropped("no_address")
    items = []
    gone = "no_content"
    for place, listed in enumerate(digest.items):
        item = known.item(listed.item_id)
        reason = _amiss(digest, listed, item, reader, known, now_ms)
        if item is not None and reason is None:
            items.append((listed, item))
            continue
        gone = reason or gone
        if place == 0 and digest.campaign in ABOUT_ONE:
            return Dropped(gone)
    return Fit(digest, reader, to, tuple(items)) if items else Dropped(gone)


def _amiss(
    digest: Digest, listed: RecommendedItem, item: Item | None, reader: Reader, known: Known, now_ms: int
) -> str | None:
    if item is None:
        return "retired"
    if item.expires_ms is not None and item.expires_ms <= now_ms:
        return "expired"
    if not item.available:
        return "sold_out"
    if reader.applied.get(listed.item_id, -1) >= digest.due_ms - LATE_ACTION_MS:
        return "already_applied"
    if digest.campaign == "price" and known.dearer_since(listed.item_id, digest.due_ms):
        return "price_changed"
    return None


def address_of(reader: Reader) -> Address | None:
    """Where a person reads mail: `attributes.email` of their `users` row, if it is an address."""
    spec = reader.address
    if not spec or len(spec) > 254 or not spec.isprintable() or any(mark in spec for mark in ' ,;<>"()'):
        return None
    try:
        address = Address(addr_spec=spec)
    except (ValueError, IndexError, MessageError):
        return None
    return address if address.username and address.domain else None
