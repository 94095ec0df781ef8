"""Which of two records of one person counts, where a worker that was stopped wrote after its successor did."""

from processors.profile import Head


def supersedes(later: Head, earlier: Head) -> bool:
    """Whether the record that came later in the changelog counts.

    It does unless it covers less of some source topic. Where each covers more of one topic, the higher generation of
    the consumer group decides.

    >>> supersedes(Head(applied={"views": 7}), Head(applied={"views": 9}))
    False
    """
    topics = later.applied.keys() | earlier.applied.keys()
    behind = any(later.applied.get(t, -1) < earlier.applied.get(t, -1) for t in topics)
    ahead = any(later.applied.get(t, -1) > earlier.applied.get(t, -1) for t in topics)
    return later.generation >= earlier.generation if behind and ahead else not behind
