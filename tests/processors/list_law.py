"""A law of every list, whichever models make it: run by the tests of each with its own pack and lessons."""

import math
from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from processors.actions import SAVE, VIEW
from processors.pack import Pack
from processors.recommend import recommend
from processors.replica import Replica
from tests.processors.market import DAY_MS, NOW_MS, job, person

Changes = list[tuple[str, int]]

CHANGES: st.SearchStrategy[Changes] = st.lists(
    st.tuples(st.sampled_from(["put", "old", "gone", "retire", "ask", "teach"]), st.integers(0, 40)), max_size=40
)


def holds_only_what_may_be_shown(
    changes: Changes, pack: Pack, taught_rows: Callable[[int], Mapping[bytes, bytes]]
) -> None:
    """Whatever happens, lists hold only what may be shown, and asking for one changes none: `taught_rows` of a seed are
    what the learner says.
    """
    asked, silent = Replica(pack), Replica(pack)
    live: dict[str, bool] = {}
    now_ms = NOW_MS
    for what, k in changes:
        now_ms += 3_600_000
        if what == "ask":
            recommend(person((k, SAVE)), now_ms, asked)
            continue
        for made in (asked, silent):
            if what == "retire":
                made.retire_item(f"j{k}")
            elif what == "teach":
                for key, value in taught_rows(k).items():
                    made.apply_row(key, value)
            else:
                expires_ms = now_ms - 1 if what == "old" else NOW_MS + 30 * DAY_MS
                made.put_item(job(k, expires_ms=expires_ms, available=what != "gone"))
        if what != "teach":
            live[f"j{k}"] = what == "put"
    for profile in (person(), person((1, SAVE), (2, VIEW))):
        items = recommend(profile, now_ms, asked, limit=100)
        assert items == recommend(profile, now_ms, silent, limit=100)
        assert all(live[item.item_id] for item in items)
        assert all(math.isfinite(item.score) for item in items)
        assert bool(items) == any(live.values())
