"""Text of strangers as one line: for headers, and for mails in plain text."""

import re
from typing import Final

_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
"""Controls, line and paragraph separators, marks that turn the direction of what follows, halves of characters."""


def one_line(text: str, limit: int = 200) -> str:
    r"""Without controls and invisible marks, blanks folded, cut at a limit.

    >>> one_line("Chef\r\nBcc: all@example.org")
    'Chef Bcc: all@example.org'
    >>> one_line("x" * 9, limit=5)
    'xxxx…'
    """
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
