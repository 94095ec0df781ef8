"""Control characters: none in ids, only line breaks and tabs in human text.

The C1 range (U+0080-U+009F) is refused in ids alone: in brands and titles it is a mis-decoded dash or quote of real
data.
"""

import re
from typing import Any, Final

import msgspec

MULTILINE: Final = frozenset({"title", "text", "query", "user_agent", "attributes", "filters"})
"""Fields of human text, where line breaks and tabs are tolerated."""

_IN_IDS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_IN_LABELS: Final = re.compile(r"[\x00-\x1f\x7f]")
_IN_TEXTS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def can_hold_control_characters(raw: bytes) -> bool:
    """Whether JSON `raw` may decode to a control character: they come as escapes, as DEL, or beyond ASCII."""
    return b"\\" in raw or b"\x7f" in raw or not raw.isascii()


def control_character(struct: msgspec.Struct) -> str | None:
    r"""The path of the first field of a message that holds a forbidden control character, or None.

    >>> from schemas.catalogue import Item
    >>> control_character(Item(item_id="i1", title="two\nlines", tags=("a", "b\x07")))
    '$.tags[1]'
    """
    return _search(msgspec.to_builtins(struct), "$", _IN_LABELS)


def _search(value: Any, path: str, forbidden: re.Pattern[str]) -> str | None:
    match value:
        case str():
            return path if forbidden.search(value) else None
        case dict():
            for name, inner in value.items():
                if _IN_LABELS.search(name):
                    return path
                if found := _search(inner, f"{path}.{name}", _rule(name, forbidden)):
                    return found
        case list() | tuple():
            for i, inner in enumerate(value):
                if found := _search(inner, f"{path}[{i}]", forbidden):
                    return found
    return None


def _rule(name: str, inherited: re.Pattern[str]) -> re.Pattern[str]:
    if name.endswith(("_id", "_ids")):
        return _IN_IDS
    return _IN_TEXTS if name in MULTILINE else inherited
