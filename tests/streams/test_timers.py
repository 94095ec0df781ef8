"""Timers are due in order, partition by partition, and what is not taken stays."""

from hypothesis import given
from hypothesis import strategies as st

from streams.timers import Timers

entries = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.binary(min_size=1, max_size=3)))


def filled(given_entries: list[tuple[int, int, bytes]]) -> Timers:
    timers = Timers()
    for partition, due_ms, key in given_entries:
        timers.add(partition, due_ms, key, "recommend")
    return timers


@given(entries, st.integers(0, 60))
def test_exactly_what_is_due_is_taken_the_earliest_first(added: list[tuple[int, int, bytes]], now_ms: int) -> None:
    timers = filled(added)
    for partition in range(4):
        wanted = sorted((due, key) for p, due, key in added if p == partition and due <= now_ms)
        assert [(due, key) for due, key, _ in timers.due(partition, now_ms)] == wanted
    assert len(timers) == sum(due > now_ms for _, due, _ in added)


def test_what_is_not_taken_stays() -> None:
    timers = filled([(0, 1, b"a"), (0, 2, b"b")])
    assert next(timers.due(0, 5)) == (1, b"a", "recommend")
    assert timers.next_due_ms(0) == 2
    assert [key for _, key, _ in timers.due(0, 5)] == [b"b"]
    assert timers.next_due_ms(0) is None


def test_partitions_are_apart_and_go_together() -> None:
    timers = filled([(0, 1, b"a"), (3, 1, b"b")])
    assert sorted(timers.partitions()) == [0, 3]
    assert list(timers.due(1, 9)) == []
    assert timers.next_due_ms(1) is None
    timers.clear()
    assert (len(timers), timers.partitions()) == (0, [])
