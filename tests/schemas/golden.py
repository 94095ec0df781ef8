"""Yesterday's bytes: `tests/golden/TOPIC.jsonl`, one record a line, which must decode to the same for ever.

    python -m tests.schemas.golden views '{"event_id":"e9","user_id":"u1","item_id":"i1","ts_ms":1}'

adds a record; lines are never changed or taken away. A line holds the record as `value` (JSON as text, or MessagePack
in base64 as `base64`), and in `holds` what it decoded to when it was added.
"""

import base64
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from processors.item_rows import decode_item_row
from processors.model_rows import decode_marker
from processors.profile import decode as decode_profile
from schemas.decode import SCHEMAS
from schemas.learning import Lesson
from streams.topics import PROFILES_CHANGELOG, TOPICS

GOLDEN: Final = Path(__file__).parents[1] / "golden"

DECODERS: Final[dict[str, Callable[[bytes], Any]]] = {
    **{name: msgspec.json.Decoder(topic.schema).decode for name, topic in TOPICS.items() if topic.schema is not None},
    "learning": msgspec.msgpack.Decoder(Lesson).decode,
    "model-marker": decode_marker,
    "model-item": decode_item_row,
    PROFILES_CHANGELOG: decode_profile,
}
"""File name -> how its records are decoded; `model` has two kinds of rows."""
BINARY: Final = frozenset({"learning", "model-marker", "model-item", PROFILES_CHANGELOG})
INPUTS: Final = tuple(SCHEMAS)


def plain(decoded: Any) -> Any:
    """What a record holds, field by field, as JSON can say it."""
    if isinstance(decoded, msgspec.Struct):
        fields = {name: plain(getattr(decoded, name)) for name in decoded.__struct_fields__}
        return {name: value for name, value in fields.items() if value is not None}
    if isinstance(decoded, dict):
        return {str(name): plain(value) for name, value in decoded.items()}
    if isinstance(decoded, list | tuple):
        return [plain(value) for value in decoded]
    if isinstance(decoded, float) and not math.isfinite(decoded):
        return str(decoded)
    return base64.b64encode(decoded).decode() if isinstance(decoded, bytes) else decoded


def records(name: str) -> Iterator[tuple[bytes, Any]]:
    """(bytes, what they held) of a golden file."""
    for text in (GOLDEN / f"{name}.jsonl").read_text().splitlines():
        line = json.loads(text)
        yield base64.b64decode(line["base64"]) if "base64" in line else line["value"].encode(), line["holds"]


def lost(held: Any, decoded: Any, path: str = "$") -> list[str]:
    """Paths of what a record held and its decoded form does not hold any more; new fields are no loss.

    >>> lost({"a": 1, "b": [1, 2]}, {"a": 2, "b": [1, 2], "c": 3})
    ['$.a']
    """
    match held, decoded:
        case dict(), dict():
            return [p for name in held for p in lost(held[name], decoded.get(name), f"{path}.{name}")]
        case list(), list() if len(held) == len(decoded):
            return [p for i, pair in enumerate(zip(held, decoded, strict=True)) for p in lost(*pair, f"{path}[{i}]")]
    return [] if held == decoded else [path]


def add(name: str, value: bytes) -> None:
    """Add a record to its golden file. Raises msgspec.ValidationError where it does not decode today."""
    stored = {"base64": base64.b64encode(value).decode()} if name in BINARY else {"value": value.decode()}
    line = {**stored, "holds": plain(DECODERS[name](value))}
    with (GOLDEN / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    add(sys.argv[1], sys.argv[2].encode())
