"""Tombstones of forgotten items: when they are written, and what they remove."""

import msgspec

from processors.item_rows import is_forgotten
from processors.learner import MARKER_KEY
from processors.model_rows import row_offset
from streams.model_table import ModelTable
from streams.tombstones import Tombstones
from tests.processors.test_forgetting import BLEND, churn, taught


def forgotten_table() -> tuple[dict[bytes, bytes], bytes]:
    learner = taught(BLEND, churn(20))
    rows = learner.dirty_rows()
    return rows | {MARKER_KEY: learner.marker(799)}, next(key for key, row in rows.items() if is_forgotten(key, row))


def test_a_tombstone_waits_until_no_earlier_owner_can_write() -> None:
    rows, key = forgotten_table()
    waiting = Tombstones(30.0)
    waiting.restart(rows, 100.0)
    assert waiting.take(129.0) == []
    waiting.covered({key: next(row for name, row in rows.items() if b"/ever" in name)}, 120.0)
    some = [name for name, row in rows.items() if is_forgotten(name, row) and name != key]
    assert waiting.take(131.0) == some
    assert waiting.take(1e9) == []


def test_a_tombstone_removes_what_is_forgotten_and_nothing_else() -> None:
    rows, key = forgotten_table()
    known = next(name for name, row in rows.items() if name.startswith(b"item/") and not is_forgotten(name, row))
    table = ModelTable()
    table.apply([(name, row, 0) for name, row in rows.items()])
    table.apply([(key, None, 0), (known, None, 0), (b"item/unheard of", None, 0)])
    assert table.rows == {name: row for name, row in rows.items() if name != key}
    assert list(table.overwritten) == [known]


def test_a_row_that_an_old_owner_writes_after_its_item_was_forgotten_does_not_count() -> None:
    rows, key = forgotten_table()
    stale = msgspec.msgpack.encode([0, 7, [], 0.0, b""])
    assert row_offset(stale) < row_offset(rows[key])
    table = ModelTable()
    table.apply([(name, row, 0) for name, row in rows.items()])
    table.apply([(key, stale, 0), (MARKER_KEY, rows[MARKER_KEY], 0)])
    assert table.rows == rows
    assert list(table.overwritten) == [key]
