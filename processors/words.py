"""Text to words, the same for titles, labels and what people ask for."""

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:[+#]+)?")
MAX_WORDS: Final = 48


def words(text: str) -> list[str]:
    """The distinct words of a text in order, folded and cut to their singular; single letters are none, `C++` is one.

    >>> words("Registered Nurses (RN) - Night Shift; C++, nurse")
    ['registered', 'nurse', 'rn', 'night', 'shift', 'c++']
    """
    found = dict.fromkeys([_singular(word) for word in _WORD.findall(text.casefold())[:MAX_WORDS]])
    return [word for word in found if len(word) > 1]


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return word
