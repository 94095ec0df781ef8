"""The rows of kind `session`: the latest `SESSIONS` sessions of all people, which neighbours are sought among.

A session is the chain of its actions (processors/visits.py): an example that continues the end of a kept session joins
it, any other begins the next one. Sessions are numbered from 0 in the order in which they begin; session n lies in slot
n mod `SESSIONS`, in whose place it comes when the earlier one is that much older. Of a session the last `LENGTH` items
are kept. This is all there is to learn: what follows from the rows, the replica works out (processors/session_view.py).
"""

from typing import Final

import msgspec
from msgspec import Struct

from processors.actions import weights
from processors.model_rows import row_key
from processors.pack import Pack
from schemas.learning import Example

KIND: Final = "session"
SESSIONS: Final = 1 << 18
LENGTH: Final = 20


class SessionRow(Struct, array_like=True, frozen=True):
    """The value of a row `session/<slot>`; `deed` is the session's last action, 0 where nothing can continue it."""

    offset: int
    number: int
    deed: int
    items: list[str]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(SessionRow)


def decode_session(value: bytes) -> SessionRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


class Sessions:
    """The learner's half; learns only where the pack has the learned blend. `capacity` ≥ 1 sessions are kept."""

    kind: Final = KIND

    def __init__(self, pack: Pack, capacity: int = SESSIONS) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self._capacity = capacity
        self._learns = pack.models == "blend"
        self._weights = weights(pack.actions)
        self._slots: list[SessionRow] = []
        self._slot_by_deed: dict[int, int] = {}
        self._begun = 0
        self._dirty: set[int] = set()

    def learn_one(self, example: Example, offset: int) -> None:
        """Put one action where it belongs. One of no weight, or that does not say which it is, teaches nothing."""
        action, deed = example.action, example.deed
        if not self._learns or not deed or not 0 <= action < len(self._weights):
            return
        if self._weights[action] <= 0.0 or example.weight <= 0.0:
            return
        slot = self._slot_by_deed.pop(example.after, None)
        self._close(deed, offset)
        if slot is None:
            self._begin(SessionRow(offset, self._begun, deed, [example.item_id]))
        else:
            known = self._slots[slot]
            items = [*known.items[1 - LENGTH :], example.item_id]
            self._put(slot, SessionRow(offset, known.number, deed, items))

    def dirty_rows(self) -> dict[bytes, bytes]:
        """The rows changed since the last call, by slot."""
        rows = {row_key(KIND, str(slot)): _encoder.encode(self._slots[slot]) for slot in sorted(self._dirty)}
        self._dirty.clear()
        return rows

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the recovered rows.

        Raises:
            ValueError: a slot is missing, or the rows were written for another capacity.
        """
        self._slots = [_decoder.decode(rows[str(slot)]) for slot in range(len(rows)) if str(slot) in rows]
        if len(self._slots) != len(rows):
            raise ValueError(f"model rows: of {len(rows)} sessions some slot is missing")
        for slot, row in enumerate(self._slots):
            if row.number % self._capacity != slot:
                raise ValueError(f"model rows: session {row.number} in slot {slot}: another capacity than now")
            if row.deed:
                self._slot_by_deed[row.deed] = slot
        self._begun = 1 + max((row.number for row in self._slots), default=-1)

    def _begin(self, row: SessionRow) -> None:
        slot = self._begun % self._capacity
        self._begun += 1
        if slot == len(self._slots):
            self._slots.append(row)
        elif (gone := self._slots[slot].deed) and self._slot_by_deed.get(gone) == slot:
            del self._slot_by_deed[gone]
        self._put(slot, row)

    def _put(self, slot: int, row: SessionRow) -> None:
        self._slots[slot] = row
        self._slot_by_deed[row.deed] = slot
        self._dirty.add(slot)

    def _close(self, deed: int, offset: int) -> None:
        """Of two actions that cannot be told apart, the later is continued."""
        slot = self._slot_by_deed.pop(deed, None)
        if slot is not None:
            self._slots[slot] = msgspec.structs.replace(self._slots[slot], offset=offset, deed=0)
            self._dirty.add(slot)
