"""The sessions of all people as a replica holds them: columns by slot, and by item the sessions that it is in.

Everything follows from the rows of kind `session` (processors/session_rows.py) as they are, whatever came before them
and in whatever order they arrived. Items have codes of their own from 1, given when a session first names them and
given to another when no session has the item any more; code 0 is nobody. Room: at most `SESSIONS` slots of `LENGTH`
codes, and as many entries by item.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.growing import grown
from processors.session_rows import LENGTH, SessionRow

Numbers = npt.NDArray[np.int64]
NOBODY: Final = -1
_NO_ITEM: Final = {0}


class SessionView:
    """The replica's half."""

    def __init__(self) -> None:
        self.count = 0
        """Sessions held."""
        self.newest = NOBODY
        """The highest number of a session ever held."""
        self.items: npt.NDArray[np.int32] = np.zeros((64, LENGTH), np.int32)
        """Codes by slot, the first item first, 0 behind the last."""
        self.numbers: Numbers = np.full(64, NOBODY, np.int64)
        """The session's number by slot."""
        self.frequency: Numbers = np.zeros(64, np.int64)
        """By code, how many sessions the item is in."""
        self.rows: npt.NDArray[np.intp] = np.zeros(64, np.intp)
        """The catalogue's row by code, 0 where the item is not live."""
        self.marks: npt.NDArray[np.intp] = np.zeros(64, np.intp)
        """Room for one mark by slot or code; its content means nothing between uses."""
        self._deeds: list[int] = []
        self._slot_by_deed: dict[int, int] = {}
        self._codes: dict[str, int] = {}
        self._ids: list[str] = [""]
        self._free: list[int] = []
        self._members: list[Numbers] = [np.zeros(0, np.int64)]
        self._slots: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]

    def codes_of(self, item_ids: Iterable[str]) -> list[int]:
        """The codes of items, 0 for each that is in no session."""
        code_of = self._codes.get
        return [code_of(item_id, 0) for item_id in item_ids]

    def link(self, item_id: str, row: int) -> None:
        """An item has a row in the catalogue, or none (0) any more."""
        code = self._codes.get(item_id)
        if code is not None:
            self.rows[code] = row

    def slot_of(self, deed: int) -> int | None:
        """The slot of the session whose last action this is."""
        return self._slot_by_deed.get(deed)

    def latest(self, code: int, most: int) -> npt.NDArray[np.int32]:
        """The slots of the at most `most` latest sessions with an item, the earliest of them first."""
        count = int(self.frequency[code])
        return self._slots[code][max(count - most, 0) : count]

    def put(self, slot: int, row: SessionRow, row_of: Callable[[str], int | None]) -> None:
        """Take over one session; `row_of` gives the catalogue's row of an item."""
        self._make_room(slot)
        number, known = row.number, int(self.numbers[slot])
        codes = [self._code(item_id, row_of) for item_id in row.items[-LENGTH:]]
        old = self.items[slot]
        before, after = set(old.tolist()) - _NO_ITEM, set(codes)
        if known != number:
            self._leave(before, known)
            self._join(after, number, slot)
            self.count += known == NOBODY
            self.numbers[slot] = number
            self.newest = max(self.newest, number)
        else:
            self._leave(before - after, number)
            self._join(after - before, number, slot)
        old[:] = codes + [0] * (LENGTH - len(codes))
        for code in before:
            if not self.frequency[code]:
                self._release(code)
        gone = self._deeds[slot]
        if self._slot_by_deed.get(gone) == slot:
            del self._slot_by_deed[gone]
        self._deeds[slot] = row.deed
        if row.deed:
            self._slot_by_deed[row.deed] = slot

    def _code(self, item_id: str, row_of: Callable[[str], int | None]) -> int:
        code = self._codes.get(item_id)
        if code is None:
            if self._free:
                code = self._codes[item_id] = self._free.pop()
                self._ids[code] = item_id
                self.rows[code] = row_of(item_id) or 0
                return code
            code = self._codes[item_id] = len(self._ids)
            self._ids.append(item_id)
            self.frequency = grown(self.frequency, code + 1, 0)
            self.rows = grown(self.rows, code + 1, 0)
            self.marks = grown(self.marks, code + 1, 0)
            self.rows[code] = row_of(item_id) or 0
            self._members.append(np.zeros(2, np.int64))
            self._slots.append(np.zeros(2, np.int32))
        return code

    def _release(self, code: int) -> None:
        """No session has the code's item any more."""
        del self._codes[self._ids[code]]
        self._ids[code] = ""
        self.rows[code] = 0
        self._members[code], self._slots[code] = np.zeros(2, np.int64), np.zeros(2, np.int32)
        self._free.append(code)

    def _join(self, codes: set[int], number: int, slot: int) -> None:
        """Entries are ordered by the session's number; sessions that begin late mostly come last."""
        for code in codes:
            count = int(self.frequency[code])
            members, slots = self._members[code], self._slots[code]
            if count == len(members):
                members = self._members[code] = grown(members, count + 1, 0)
                slots = self._slots[code] = grown(slots, count + 1, 0)
            place = count
            if count and members[count - 1] > number:
                place = int(np.searchsorted(members[:count], number))
                members[place + 1 : count + 1] = members[place:count]
                slots[place + 1 : count + 1] = slots[place:count]
            members[place], slots[place] = number, slot
            self.frequency[code] = count + 1

    def _leave(self, codes: set[int], number: int) -> None:
        for code in codes:
            count = int(self.frequency[code])
            members, slots = self._members[code], self._slots[code]
            place = int(np.searchsorted(members[:count], number))
            members[place : count - 1] = members[place + 1 : count]
            slots[place : count - 1] = slots[place + 1 : count]
            self.frequency[code] = count - 1

    def _make_room(self, slot: int) -> None:
        self.items = grown(self.items, slot + 1, 0)
        self.numbers = grown(self.numbers, slot + 1, NOBODY)
        self.marks = grown(self.marks, slot + 1, 0)
        if slot >= len(self._deeds):
            self._deeds.extend([0] * (slot + 1 - len(self._deeds)))
