"""What recovery makes of a changelog in which an old owner wrote after the new one, or a flush was cut short."""

import random
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from processors.learner import MARKER_KEY
from processors.model_rows import Marker, encode_marker
from processors.profile import Profile, decode, encode
from streams.changelog import Row
from streams.model_table import ModelTable
from streams.profile_table import ProfileTable

Record = tuple[bytes, bytes | None]


def recover(made: Any, records: Iterable[Record], partition: int = 0, batch: int = 1_000) -> Any:
    rows = [(key, value, partition) for key, value in records]
    for start in range(0, len(rows), batch):
        made.apply(rows[start : start + batch])
    return made


def profile(generation: int = 1, **applied: int) -> bytes:
    return encode(Profile(applied=applied, generation=generation, totals={"views": applied.get("views", -1) + 1}))


@pytest.fixture
def profiles() -> ProfileTable:
    return ProfileTable()


# -- profiles


def test_the_last_of_ordered_records_counts(profiles: ProfileTable) -> None:
    recover(profiles, [(b"u1", profile(views=n)) for n in range(5)])
    assert decode(profiles.rows[b"u1"]).applied == {"views": 4}
    assert profiles.overwritten == {}


@pytest.mark.parametrize("batch", [1, 2, 1_000])
def test_a_stopped_owner_that_writes_late_is_overruled_and_its_key_written_again(
    profiles: ProfileTable, batch: int
) -> None:
    recover(profiles, [(b"u1", profile(2, views=9)), (b"u1", profile(1, views=4))], batch=batch)
    assert decode(profiles.rows[b"u1"]).applied == {"views": 9}
    assert list(profiles.overwritten) == [b"u1"]


def test_without_dominance_the_late_record_would_win() -> None:
    """Negative control."""
    profiles = ProfileTable(dominance=False)
    recover(profiles, [(b"u1", profile(2, views=9)), (b"u1", profile(1, views=4))])
    assert decode(profiles.rows[b"u1"]).applied == {"views": 4}


def test_a_key_that_was_written_again_is_whole(profiles: ProfileTable) -> None:
    recover(
        profiles, [(b"u1", profile(2, views=9)), (b"u1", profile(1, views=4)), (b"u1", profile(2, views=9))], batch=1
    )
    assert profiles.overwritten == {}


def test_where_neither_covers_the_other_the_generation_decides(profiles: ProfileTable) -> None:
    recover(profiles, [(b"u1", profile(2, views=9)), (b"u1", profile(1, saves=4))])
    assert decode(profiles.rows[b"u1"]).applied == {"views": 9}
    recover(profiles, [(b"u1", profile(3, saves=5))])
    assert decode(profiles.rows[b"u1"]).applied == {"saves": 5}


def test_an_erased_person_does_not_come_back_through_a_late_profile(profiles: ProfileTable) -> None:
    marker = encode(Profile(applied={"views": 9, "erasures": 0}, generation=2, erased_ms=7))
    recover(profiles, [(b"u1", profile(views=9)), (b"u1", marker), (b"u1", profile(views=8))])
    assert decode(profiles.rows[b"u1"]).erased_ms == 7


def test_a_null_takes_the_row_away_and_a_new_person_may_begin(profiles: ProfileTable) -> None:
    recover(profiles, [(b"u1", profile(views=9)), (b"u1", None)])
    assert (profiles.rows, profiles.partition_of) == ({}, {})
    recover(profiles, [(b"u1", profile(views=1))])
    assert decode(profiles.rows[b"u1"]).applied == {"views": 1}


def test_any_late_record_anywhere_leaves_the_newest(profiles: ProfileTable) -> None:
    rnd = random.Random(5)
    for n in range(50):
        key = f"u{n}".encode()
        log = [(key, profile(1 + at // 3, views=at)) for at in range(8)]
        late = log[rnd.randrange(7)]
        log.insert(rnd.randrange(8), late)
        recover(profiles, [*log, late], batch=rnd.choice([1, 3, 100]))
        assert decode(profiles.rows[key]).applied == {"views": 7}
        assert key in profiles.overwritten


def test_rows_of_revoked_partitions_are_forgotten(profiles: ProfileTable) -> None:
    recover(profiles, [(b"u1", profile(2, views=1)), (b"u1", profile(1, views=0))], partition=0)
    recover(profiles, [(b"u2", profile(views=1))], partition=3)
    profiles.keep(frozenset({3}))
    assert list(profiles.rows) == [b"u2"]
    assert (profiles.partition_of, profiles.overwritten) == ({b"u2": 3}, {})


# -- model rows


def row(offset: int, text: str) -> bytes:
    return msgspec.msgpack.encode([offset, text])


def marker(offset: int) -> Record:
    return MARKER_KEY, encode_marker(Marker(offset, {}))


@pytest.fixture
def model() -> ModelTable:
    return ModelTable()


def test_rows_wait_for_the_marker_of_their_flush(model: ModelTable) -> None:
    recover(model, [(b"item/a", row(3, "a3")), marker(5), (b"item/a", row(7, "a7")), (b"item/b", row(8, "b8"))])
    assert model.rows == {b"item/a": row(3, "a3"), MARKER_KEY: marker(5)[1]}
    assert set(model.held) == {b"item/a", b"item/b"}
    recover(model, [marker(8)])
    assert model.rows[b"item/a"] == row(7, "a7")
    assert model.held == {}


def test_a_marker_covers_no_row_that_is_newer(model: ModelTable) -> None:
    """A marker of an old owner, between the rows of the new one's flush."""
    recover(model, [(b"item/a", row(3, "a3")), marker(5), (b"item/a", row(9, "a9")), marker(6)])
    assert model.rows[b"item/a"] == row(3, "a3")
    assert set(model.held) == {b"item/a"}


def test_an_old_owners_rows_and_marker_are_overruled_and_written_again(model: ModelTable) -> None:
    recover(model, [(b"item/a", row(8, "new")), marker(9), (b"item/a", row(3, "old")), marker(4)])
    assert model.rows[MARKER_KEY] == marker(9)[1]
    assert list(model.overwritten) == [MARKER_KEY]
    recover(model, [marker(9)])
    assert model.rows[b"item/a"] == row(8, "new")
    assert list(model.overwritten) == [b"item/a"]


def test_a_null_takes_a_model_row_away(model: ModelTable) -> None:
    recover(model, [(b"query/1", row(1, "a")), marker(1), (b"query/1", None)])
    assert b"query/1" not in model.rows


def test_rows_without_the_rule_would_be_half_a_flush() -> None:
    """Negative control: a table that takes every row at once shows a row of a flush that was cut short."""

    class Hasty(ModelTable):
        def apply(self, records: Iterable[Row]) -> None:
            for key, value, _ in records:
                self.rows[key] = value or b""

    made = recover(Hasty(), [(b"item/a", row(3, "a3")), marker(5), (b"item/a", row(7, "a7"))])
    assert made.rows[b"item/a"] == row(7, "a7")
