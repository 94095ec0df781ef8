"""Good records decode, and each kind of poison is refused by the name of the field at fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.behaviour import Event
from schemas.catalogue import Item, User
from schemas.decode import COMPACTED, MAX_EVENT_BYTES, MAX_FUTURE_MS, MAX_ROW_BYTES, SCHEMAS, Invalid, Retired, decode
from tests.schemas.samples import FULL, LEAST, key_of

TOPICS = tuple(SCHEMAS)
EVENTS = tuple(topic for topic in TOPICS if topic not in COMPACTED)
NOW_MS = 1_700_000_000_000
Decoded = Event | Item | User | Retired | Invalid


def taken(topic: str, value: dict[str, Any] | bytes | None, key: bytes | None = None) -> Decoded:
    raw = value if isinstance(value, bytes | None) else json.dumps(value, ensure_ascii=False).encode()
    if key is None:
        key = key_of(topic, value if isinstance(value, dict) else LEAST[topic])
    return decode(topic, key, raw, NOW_MS)


def changed(topic: str, **fields: Any) -> Decoded:
    return taken(topic, LEAST[topic] | fields, key_of(topic, LEAST[topic]))


def field_of(decoded: Decoded) -> str:
    assert isinstance(decoded, Invalid), decoded
    assert decoded.reason
    return decoded.field


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("samples", [LEAST, FULL], ids=["least", "full"])
def test_a_good_record_decodes(topic: str, samples: dict[str, dict[str, Any]]) -> None:
    decoded = taken(topic, samples[topic])
    assert type(decoded) is SCHEMAS[topic]
    for field, value in samples[topic].items():
        if not isinstance(value, dict | list):
            assert getattr(decoded, field) == value


@pytest.mark.parametrize("topic", TOPICS)
def test_the_full_sample_has_every_field(topic: str) -> None:
    assert set(FULL[topic]) == set(SCHEMAS[topic].__struct_fields__)


@pytest.mark.parametrize("topic", TOPICS)
def test_unknown_fields_are_ignored(topic: str) -> None:
    assert changed(topic, brand_new={"a": [1]}) == taken(topic, LEAST[topic])


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b"\xff\xfe\x00", b'{"a":1}x'])
def test_not_json(topic: str, raw: bytes) -> None:
    assert field_of(taken(topic, raw)).startswith("$")


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("raw", [b"[]", b"3", b'"text"', b"null", b"true"])
def test_no_object(topic: str, raw: bytes) -> None:
    assert field_of(taken(topic, raw)) == "$"


@pytest.mark.parametrize(("topic", "field"), [(topic, field) for topic in TOPICS for field in LEAST[topic]])
def test_a_missing_field_is_named(topic: str, field: str) -> None:
    value = {name: held for name, held in LEAST[topic].items() if name != field}
    assert field_of(taken(topic, value, key_of(topic, LEAST[topic]))) == f"$.{field}"


@pytest.mark.parametrize(("topic", "field"), [(topic, field) for topic in TOPICS for field in FULL[topic]])
def test_a_wrong_type_is_named(topic: str, field: str) -> None:
    assert field_of(changed(topic, **{field: [[]]})).startswith(f"$.{field}")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(("topic", "field"), [("preferences", "min_salary"), ("views", "ts_ms"), ("items", "price")])
def test_no_number(topic: str, field: str, number: str) -> None:
    held = f'{{"amount": {number}, "currency": "EUR"}}' if field == "price" else number
    raw = json.dumps(LEAST[topic] | {field: "HERE"}).replace('"HERE"', held).encode()
    assert field_of(taken(topic, raw)).startswith("$")


@pytest.mark.parametrize(
    ("topic", "field", "value"),
    [(topic, field, "x" * 129) for topic in TOPICS for field in LEAST[topic] if field.endswith("_id")]
    + [(topic, field, "") for topic in TOPICS for field in LEAST[topic] if field.endswith("_id")]
    + [("searches", "query", "x" * 2_001), ("items", "title", "x" * 2_001), ("items", "brand", "x" * 201)],
)
def test_a_string_that_is_too_long_or_empty(topic: str, field: str, value: str) -> None:
    assert field_of(changed(topic, **{field: value})) == f"$.{field}"


@pytest.mark.parametrize(
    ("topic", "field"),
    [
        ("saves", "kind"),
        ("applies", "stage"),
        ("unsubscribes", "cause"),
        ("dismissals", "reason"),
        ("preferences", "frequency"),
        ("impressions", "surface"),
        ("users", "frequency"),
    ],
)
def test_an_unknown_word_of_a_closed_list(topic: str, field: str) -> None:
    assert field_of(changed(topic, **{field: "nonsense"})) == f"$.{field}"


@pytest.mark.parametrize(
    ("topic", "fields", "path"),
    [
        ("views", {"ts_ms": -1}, "$.ts_ms"),
        ("views", {"ts_ms": 1.5}, "$.ts_ms"),
        ("views", {"dwell_ms": -1}, "$.dwell_ms"),
        ("views", {"origin": {"surface": "radio"}}, "$.origin.surface"),
        ("applies", {"quantity": 0}, "$.quantity"),
        ("applies", {"value": {"amount": 1, "currency": "euro"}}, "$.value.currency"),
        ("items", {"location": {"lat": 91}}, "$.location.lat"),
        ("items", {"categories": ["a", ""]}, "$.categories[1]"),
        ("items", {"tags": ["t"] * 65}, "$.tags"),
        ("items", {"url": "javascript:alert(1)"}, "$.url"),
        ("impressions", {"item_ids": []}, "$.item_ids"),
        ("impressions", {"item_ids": ["i"] * 201}, "$.item_ids"),
        ("users", {"alerts": [{"alert_id": "a"}, {}]}, "$.alerts[1].alert_id"),
        ("users", {"preferences": {"min_salary": -5}}, "$.preferences.min_salary"),
    ],
)
def test_the_path_leads_to_the_value_at_fault(topic: str, fields: dict[str, Any], path: str) -> None:
    assert field_of(changed(topic, **fields)) == path


@pytest.mark.parametrize("topic", TOPICS)
def test_an_oversized_value(topic: str) -> None:
    limit = MAX_ROW_BYTES if topic in COMPACTED else MAX_EVENT_BYTES
    raw = json.dumps(LEAST[topic]).encode()
    assert type(taken(topic, raw + b" " * (limit - len(raw)))) is SCHEMAS[topic]
    assert field_of(taken(topic, raw + b" " * (limit + 1 - len(raw)))) == "$"
    assert field_of(taken(topic, b'{"a":"' + b"x" * 2 * 1024 * 1024 + b'"}')) == "$"


@pytest.mark.parametrize("topic", EVENTS)
def test_a_null_value_is_no_event(topic: str) -> None:
    assert field_of(taken(topic, None)) == "$"


@pytest.mark.parametrize("topic", sorted(COMPACTED))
def test_a_null_value_retires_a_row(topic: str) -> None:
    assert decode(topic, b"x1", None, NOW_MS) == Retired("x1")
    for key in (None, b"", b"\xff", b"x" * 129):
        assert field_of(decode(topic, key, None, NOW_MS)) == "key"


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("key", [b"somebody else", b"", b"\xff"])
def test_a_wrong_key(topic: str, key: bytes) -> None:
    assert field_of(taken(topic, LEAST[topic], key)) == "key"
    raw = json.dumps(LEAST[topic]).encode()
    assert field_of(decode(topic, None, raw, NOW_MS)) == "key"


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic != "items"])
def test_a_time_in_the_future(topic: str) -> None:
    assert not isinstance(changed(topic, ts_ms=NOW_MS + MAX_FUTURE_MS), Invalid)
    assert field_of(changed(topic, ts_ms=NOW_MS + MAX_FUTURE_MS + 1)) == "$.ts_ms"


@pytest.mark.parametrize(
    ("topic", "fields", "path"),
    [
        ("views", {"item_id": "i\n1"}, "$.item_id"),
        ("views", {"item_id": "i\u00851"}, "$.item_id"),
        ("views", {"origin": {"rec_id": "a\u0000b"}}, "$.origin.rec_id"),
        ("searches", {"query": "bell \u0007"}, "$.query"),
        ("items", {"brand": "two\nlines"}, "$.brand"),
        ("items", {"tags": ["ok", "del\u007f"]}, "$.tags[1]"),
        ("items", {"text": "null \u0000"}, "$.text"),
        ("items", {"attributes": {"a\u0001": 1}}, "$.attributes"),
    ],
)
def test_control_characters(topic: str, fields: dict[str, Any], path: str) -> None:
    assert field_of(changed(topic, **fields)) == path


def test_line_breaks_belong_into_human_text() -> None:
    assert not isinstance(changed("items", title="two\nlines", text="a\tb\r\nc"), Invalid)


def nested(depth: int) -> bytes:
    return b'{"item_id":"i1","x":' + b"[" * depth + b"]" * depth + b"}"


def test_deep_nesting() -> None:
    assert not isinstance(taken("items", nested(7)), Invalid)
    for depth in (8, 50, 20_000):
        assert taken("items", nested(depth)) == Invalid("$", "nested deeper than 8")


def test_brackets_inside_strings_do_not_nest() -> None:
    assert not isinstance(changed("items", title="[" * 50 + '\\"{' * 20), Invalid)


def test_another_topic_is_a_bug_and_not_a_bad_record() -> None:
    with pytest.raises(KeyError):
        decode("nonsense", b"u1", b"{}")


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25)
@given(raw=st.binary(max_size=200))
def test_no_bytes_raise(topic: str, raw: bytes) -> None:
    decode(topic, b"u1", raw, NOW_MS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25)
@given(data=st.data())
def test_no_value_of_any_field_raises(topic: str, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(FULL[topic])))
    raw = json.dumps(LEAST[topic] | {field: data.draw(json_values)}).encode()
    decoded = decode(topic, key_of(topic, LEAST[topic]), raw, NOW_MS)
    assert isinstance(decoded, SCHEMAS[topic] | Invalid)


def test_the_checks_bite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without the check of control characters the record of above is taken."""
    blind: Callable[[bytes], bool] = lambda _: False  # noqa: E731
    monkeypatch.setattr("schemas.decode.can_hold_control_characters", blind)
    assert not isinstance(changed("views", item_id="i\n1"), Invalid)
