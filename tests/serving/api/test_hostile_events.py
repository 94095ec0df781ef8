"""Whatever a body holds, reading it names what is wrong or takes it: nothing else comes out, and nothing unchecked."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.decode import Invalid, decode
from serving.api.access import Principal
from serving.api.events import MOST_EVENTS, TOPICS, read
from serving.api.problems import ProblemError

NOW_MS = 1_790_000_000_000
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "u1", "\x00", "\u202e", "' OR 1=1 --", "../../etc/passwd", "{{7*7}}", "x" * 500, "\ud800"]),
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS)
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
FIELDS = st.sampled_from(
    ["event_id", "user_id", "item_id", "ts_ms", "query", "dwell_ms", "undo", "reason", "item_ids", "origin"]
)
VALUES = st.dictionaries(FIELDS, JSON | st.integers(0, 2**63) | st.just("u1"), max_size=8)
ENTRIES = st.fixed_dictionaries({"topic": st.sampled_from(TOPICS) | WORDS, "value": VALUES | JSON})


def sound(body: bytes, who: Principal | None) -> None:
    """Read, and hold every record that was taken against the schemas again, as a worker does."""
    refused: int | None = None
    try:
        records, errors = read(body, who, NOW_MS)
    except ProblemError as problem:
        refused = problem.status
    if refused is not None:
        assert 400 <= refused < 500
        return
    assert 1 <= len(records) + len(errors) <= MOST_EVENTS
    for _, record in records:
        taken = decode(record.topic, record.key, record.value, NOW_MS)
        assert not isinstance(taken, Invalid), taken
        assert who is None or record.key.decode() == who.user_id
    for wrong in errors:
        assert wrong.field
        msgspec.json.encode(wrong)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries=st.lists(ENTRIES, max_size=4) | ENTRIES | JSON, browser=st.booleans())
def test_whatever_json_is_sent(entries: object, browser: bool) -> None:
    body = json.dumps(entries).encode("utf-8", "surrogatepass")
    sound(body, Principal("user u1", user_id="u1") if browser else None)


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=400))
@example(b"[" * 100_000)
@example(b'{"topic":"views","value":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001)
@example(b"\xff\xfe[1]")
@example(b'{"topic":"views","value":{"ts_ms":1e999}}')
@example(b'{"topic":"views","topic":"saves","value":{}}')
def test_whatever_bytes_are_sent(body: bytes) -> None:
    sound(body, None)


@pytest.mark.parametrize("count", [0, MOST_EVENTS + 1])
def test_too_few_and_too_many(count: int) -> None:
    with pytest.raises(ProblemError):
        read(json.dumps([{"topic": "views", "value": {}}] * count).encode(), None, NOW_MS)
