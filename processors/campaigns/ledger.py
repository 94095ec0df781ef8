"""The exposure ledger: which items mails held of late, and as what, so that none is written twice unless it changed.

Three bytes an item, the latest 150 (six mails a week of ten items for two weeks, and changes): two of its hash and a
fingerprint of price, pay and availability. Before them two bytes for all that one day held, the day modulo 256 and how
many; before these, how many days. A collision may hold an item back that no mail held, one in a hundred thousand; it
never lets one go twice.
"""

from hashlib import blake2b
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.replica import Replica
from processors.sending import Sending
from processors.top_list import Rows
from processors.week import DAY_MS

ENTRY: Final = np.dtype([("mark", "<u2"), ("day", "u1"), ("print", "u1")])
ITEM: Final = np.dtype([("mark", "<u2"), ("print", "u1")])
MAX_ENTRIES: Final = 150
KEPT_D: Final = 120
"""Days count modulo 256, so nothing older is kept."""
Entries = npt.NDArray[np.void]
Mask = npt.NDArray[np.bool_]


def note(state: Sending, item_ids: list[str], now_ms: int, replica: Replica) -> None:
    """A mail holds these items from now on."""
    today = now_ms // DAY_MS
    entries = _entries(state)
    new = np.zeros(len(item_ids), ENTRY)
    new["mark"], new["day"] = [_mark(item_id) for item_id in item_ids], today % 256
    new["print"] = [fingerprint(item_id, replica) for item_id in item_ids]
    kept = entries[(_ages(entries, today) <= KEPT_D) & ~np.isin(_as_it_is(entries), _as_it_is(new))]
    state.ledger, state.mailed = _packed(np.concatenate([kept, new])[-MAX_ENTRIES:]), b""


def is_repeat(state: Sending, item_id: str, now_ms: int, replica: Replica) -> bool:
    """Whether a mail of the last days held this item as it still is."""
    entries = _entries(state)
    found = entries[entries["mark"] == _mark(item_id)]
    if not len(found):
        return False
    lately = _ages(found, now_ms // DAY_MS) <= replica.pack.occasions.repeat_after_d
    return bool((lately & (found["print"] == fingerprint(item_id, replica))).any())


def was_mailed(state: Sending, item_id: str) -> bool:
    """Whether any mail that is still remembered held this item."""
    return bool((_entries(state)["mark"] == _mark(item_id)).any())


def repeats(state: Sending, now_ms: int, replica: Replica, rows: Rows) -> Mask:
    """Which of `rows` are repeats."""
    entries = _entries(state)
    held = set(entries["mark"][_ages(entries, now_ms // DAY_MS) <= replica.pack.occasions.repeat_after_d].tolist())
    found = np.zeros(len(rows), np.bool_)
    if held:
        for place, row in enumerate(rows.tolist()):
            item_id = replica.catalogue.item_id(row)
            found[place] = _mark(item_id) in held and is_repeat(state, item_id, now_ms, replica)
    return found


def fingerprint(item_id: str, replica: Replica) -> int:
    """What a change of an item shows in: price, pay, whether it can be had."""
    catalogue = replica.catalogue
    row = catalogue.row_of(item_id)
    if row is None:
        return 0
    said = f"{catalogue.price[row]}/{catalogue.salary_max[row]}/{catalogue.until_ms[row] >= 0}"
    return blake2b(said.encode(), digest_size=1).digest()[0]


def _mark(item_id: str) -> int:
    return int.from_bytes(blake2b(item_id.encode(), digest_size=2).digest())


def _entries(state: Sending) -> Entries:
    if not state.ledger:
        return np.frombuffer(state.mailed, ENTRY)
    held = 1 + 2 * state.ledger[0]
    items = np.frombuffer(state.ledger, ITEM, offset=held)
    days = np.frombuffer(state.ledger, np.uint8, held - 1, 1).reshape(-1, 2)
    entries = np.empty(len(items), ENTRY)
    entries["mark"], entries["print"] = items["mark"], items["print"]
    entries["day"] = np.repeat(days[:, 0], days[:, 1])
    return entries


def _packed(entries: Entries) -> bytes:
    days = bytes(number for day, those in groupby(entries["day"].tolist()) for number in (day, len(list(those))))
    items = np.empty(len(entries), ITEM)
    items["mark"], items["print"] = entries["mark"], entries["print"]
    return bytes([len(days) // 2]) + days + items.tobytes()


def _as_it_is(entries: Entries) -> npt.NDArray[np.int64]:
    """Item and fingerprint as one number."""
    joined: npt.NDArray[np.int64] = entries["mark"].astype(np.int64) * 256 + entries["print"]
    return joined


def _ages(entries: Entries, today: int) -> npt.NDArray[np.int64]:
    ages: npt.NDArray[np.int64] = (today - entries["day"].astype(np.int64)) % 256
    return ages
