"""A learner that is restored from its own rows again and again, beside one that never stops."""

from collections.abc import Iterator, Sequence

from processors.learner import MARKER_KEY, Learner, marker_offset
from processors.pack import Pack
from schemas.learning import Lesson

Rows = dict[bytes, bytes]


def restored_at_each_flush(pack: Pack, lessons: Sequence[Lesson], flush_every: int) -> Iterator[tuple[int, Rows, Rows]]:
    """At each flush: its offset, the rows of the learner restored from the flush before, those of one that never was.
    Whoever takes a row from both sees to it that the next restore lacks it.
    """
    straight = Learner(pack)
    stored: Rows = {}
    table: Rows = {}
    for offset, lesson in enumerate(lessons):
        straight.learn(lesson, offset)
        stored |= straight.dirty_rows()
        if offset % flush_every == 0:
            restored = Learner.restore(pack, table)
            for again in range(marker_offset(table[MARKER_KEY]) + 1 if table else 0, offset + 1):
                restored.learn(lessons[again], again)
            table |= restored.dirty_rows()
            table[MARKER_KEY] = restored.marker(offset)
            stored[MARKER_KEY] = straight.marker(offset)
            yield offset, table, stored
