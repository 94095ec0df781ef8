"""Yesterday's bytes still decode to what they held. Records are added by the command that `golden.py` names."""

from typing import Any

import msgspec
import pytest

from schemas.decode import SCHEMAS, decode
from streams.topics import TOPICS
from tests.schemas.golden import DECODERS, INPUTS, lost, plain, records
from tests.schemas.samples import key_of

NAMES = tuple(DECODERS)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_still_read(name: str) -> None:
    found = list(records(name))
    assert len(found) >= 1
    for value, held in found:
        assert lost(held, plain(DECODERS[name](value))) == []


@pytest.mark.parametrize("topic", INPUTS)
def test_old_events_pass_every_check(topic: str) -> None:
    for value, held in records(topic):
        assert isinstance(decode(topic, key_of(topic, held), value), SCHEMAS[topic])


def fields(kind: type[msgspec.Struct]) -> set[str]:
    return set(kind.__struct_fields__)


@pytest.mark.parametrize("name", [name for name, topic in TOPICS.items() if topic.schema is not None])
def test_every_field_stands_in_a_golden_record(name: str) -> None:
    """A new field needs a record that has it."""
    schema = TOPICS[name].schema
    assert schema is not None
    held = [held for _, held in records(name)]
    assert set().union(*(line.keys() for line in held)) == fields(schema)


def test_every_topic_with_a_form_of_its_own_has_records() -> None:
    covered = {name.removesuffix("-marker").removesuffix("-item") for name in NAMES}
    assert covered == set(TOPICS) - {"dead-letters"}


@pytest.mark.parametrize(
    "breaking",
    [
        [("event_id", str), ("user_id", str), ("ts_ms", int), ("thing_id", str, "")],  # item_id renamed
        [("event_id", str), ("user_id", str), ("ts_ms", int), ("item_id", int)],  # retyped
        [("event_id", str), ("user_id", str), ("ts_ms", int), ("item_id", str), ("device", str)],  # new and required
    ],
    ids=["renamed", "retyped", "required"],
)
def test_a_breaking_change_is_noticed(breaking: list[Any]) -> None:
    """Negative control."""
    broken = msgspec.json.Decoder(msgspec.defstruct("View", breaking)).decode
    value, held = next(records("views"))
    try:
        missing = lost(held, plain(broken(value)))
    except msgspec.ValidationError:
        return
    assert missing == ["$.item_id"]
