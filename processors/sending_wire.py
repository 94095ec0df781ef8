"""How `Sending` travels: its mails as records of 15 bytes and 4 for each time of an open or a click, nothing is lost.

MessagePack makes up to 31 of them. In memory mails stay a list, and as a list they are read from states written before
this. So they travel, too, where a number does not fit a record: times after the year 2106.
"""

import struct
from typing import Final

from msgspec.structs import replace

from processors.sending import Mail, Sending

HEAD: Final = struct.Struct("<IIBIBB")
"""id, at_s, slot + 1 and which times follow, expected, flags, news."""
TIME: Final = struct.Struct("<I")
CLICKED, OPENED = 64, 128
"""That a time of a click, of an open follows."""


def packed(state: Sending) -> Sending:
    """The state as it travels; the one given stays as it is.

    >>> travels = packed(Sending(mails=[Mail(1, 100, opened_s=130)]))
    >>> travels.mails, len(travels.packed_mails)
    ([], 19)
    """
    try:
        records = b"".join([_record(mail) for mail in state.mails])
    except struct.error:
        return state
    return replace(state, mails=[], packed_mails=records)


def unpack(state: Sending) -> None:
    """Back, in place."""
    records, place = state.packed_mails, 0
    while place < len(records):
        mail_id, at_s, what, expected, flags, news = HEAD.unpack_from(records, place)
        place += HEAD.size
        mail = Mail(mail_id, at_s, what % CLICKED - 1, expected, 0, 0, flags, news)
        if what & CLICKED:
            (mail.clicked_s,) = TIME.unpack_from(records, place)
            place += TIME.size
        if what & OPENED:
            (mail.opened_s,) = TIME.unpack_from(records, place)
            place += TIME.size
        state.mails.append(mail)
    state.packed_mails = b""


def _record(mail: Mail) -> bytes:
    clicked_s, opened_s = mail.clicked_s, mail.opened_s
    what = mail.slot + 1 + (CLICKED if clicked_s else 0) + (OPENED if opened_s else 0)
    record = HEAD.pack(mail.id, mail.at_s, what, mail.expected, mail.flags, mail.news)
    if clicked_s:
        record += TIME.pack(clicked_s)
    return record + TIME.pack(opened_s) if opened_s else record
