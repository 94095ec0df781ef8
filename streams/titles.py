"""Titles of items, looked up in the catalogue's topic: for commands, which have no replica."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from schemas.partitioning import partition_of
from streams.admin import partitions_found
from streams.scan import scan
from streams.settings import Settings


class _Titled(Struct):
    title: str = ""


_decode = msgspec.json.Decoder(_Titled).decode


def titles(settings: Settings, item_ids: Iterable[str]) -> dict[str, str]:
    """The titles that are known; only the partitions of these items are read. Raises BrokerError."""
    wanted = {item_id.encode(): item_id for item_id in item_ids}
    count = partitions_found(settings).get("items", 0)
    found: dict[str, str] = {}
    for message in scan(settings, "items", sorted({partition_of(key, count) for key in wanted}) if count else ()):
        item_id = wanted.get(message.key() or b"")
        if item_id is None:
            continue
        try:
            found[item_id] = _decode(message.value() or b"{}").title
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # a row that the workers refuse too
    return found
