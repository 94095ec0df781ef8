"""Of two records of one person the one that covers more counts, in whatever order they were written."""

from hypothesis import given
from hypothesis import strategies as st

from processors.dominance import supersedes
from processors.profile import Head

vectors = st.dictionaries(st.sampled_from(["views", "saves", "applies"]), st.integers(0, 4))
heads = st.builds(lambda applied, generation: Head(applied=applied, generation=generation), vectors, st.integers(0, 3))


def covers(one: Head, other: Head) -> bool:
    return all(one.applied.get(topic, -1) >= offset for topic, offset in other.applied.items())


def winner(first: Head, second: Head) -> Head:
    return second if supersedes(second, first) else first


@given(heads, heads)
def test_what_covers_more_counts_wherever_it_stands(one: Head, other: Head) -> None:
    if covers(one, other) and one.applied != other.applied:
        assert winner(one, other) is one
        assert winner(other, one) is one


@given(heads, heads)
def test_where_neither_covers_the_other_the_higher_generation_counts(one: Head, other: Head) -> None:
    if not covers(one, other) and not covers(other, one) and one.generation != other.generation:
        higher = max(one, other, key=lambda head: head.generation)
        assert winner(one, other) is higher
        assert winner(other, one) is higher


@given(heads)
def test_a_record_written_again_counts(head: Head) -> None:
    assert supersedes(Head(applied=dict(head.applied), generation=head.generation), head)


@given(st.lists(heads, min_size=1, max_size=6))
def test_nothing_that_was_covered_is_lost(log: list[Head]) -> None:
    """A log in which every record covers all before it but those of a zombie ends with the one that covers most."""
    top = Head(applied=dict.fromkeys(("views", "saves", "applies"), 9), generation=9)
    for at in range(len(log) + 1):
        kept = Head()
        for head in [*log[:at], top, *log[at:]]:
            kept = winner(kept, head)
        assert kept is top
