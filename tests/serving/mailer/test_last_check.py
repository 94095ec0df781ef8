"""The last look: each thing that may have changed since the digest was made, one at a time."""

import msgspec
import pytest

from schemas.behaviour import Apply, Erasure, Money, Preference, Unsubscribe
from schemas.catalogue import Item
from schemas.decode import Retired
from serving.mailer.known import Known
from serving.mailer.last_check import Dropped, Fit, last_check
from tests.serving.mailer.samples import JOBS, NOW_MS, digest, job, knowing, person

LATE_MS = NOW_MS + 60_000


def said(known: Known, topic: str, *records: object) -> Known:
    for record in records:
        known.apply(record, topic, LATE_MS)  # type: ignore[arg-type]
    return known


def unsubscribe(ts_ms: int = NOW_MS) -> Unsubscribe:
    return Unsubscribe(event_id="e", user_id="u1", ts_ms=ts_ms)


def prefer(ts_ms: int = NOW_MS, **fields: object) -> Preference:
    return Preference(event_id="e", user_id="u1", ts_ms=ts_ms, **fields)  # type: ignore[arg-type]


def everything() -> Known:
    return knowing(*JOBS, person())


def left(known: Known, **more: object) -> list[str] | str:
    found = last_check(digest(["j1", "j2"], **more), known, LATE_MS)  # type: ignore[arg-type]
    return found.reason if isinstance(found, Dropped) else [item.item_id for _, item in found.items]


def test_nothing_changed_and_all_of_it_goes() -> None:
    assert left(everything()) == ["j1", "j2"]


@pytest.mark.parametrize("campaign", ["digest", "nudge"])
@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Retired("j1"), "retired"),
        (job("j1", "A", available=False), "sold_out"),
        (job("j1", "A", expires_ms=LATE_MS), "expired"),
        (Apply(event_id="e", user_id="u1", item_id="j1", ts_ms=LATE_MS), "already_applied"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_gone_is_left_out_and_a_nudge_about_it_is_cancelled(
    record: Item | Retired | Apply, why: str, campaign: str
) -> None:
    known = said(everything(), "applies" if isinstance(record, Apply) else "items", record)
    assert left(known, campaign=campaign) == (why if campaign == "nudge" else ["j2"])


def test_an_old_application_leaves_a_repeat_purchase_possible() -> None:
    old = Apply(event_id="e", user_id="u1", item_id="j1", ts_ms=NOW_MS - 2 * 3_600_000)
    assert left(said(everything(), "applies", old)) == ["j1", "j2"]


def test_a_price_that_went_up_again_ends_a_price_drop() -> None:
    cheap, dear = (job("j1", "A", price=Money(amount, "EUR")) for amount in (10.0, 12.0))
    assert left(said(everything(), "items", cheap), campaign="price") == ["j1", "j2"]
    assert left(said(everything(), "items", cheap, dear), campaign="price") == "price_changed"
    assert left(said(everything(), "items", cheap, dear), campaign="digest") == ["j1", "j2"]


def test_unsubscribed_until_they_ask_again() -> None:
    assert left(said(everything(), "unsubscribes", unsubscribe())) == "unsubscribed"
    again = said(everything(), "unsubscribes", unsubscribe())
    assert left(said(again, "preferences", prefer(NOW_MS + 1, frequency="weekly"))) == ["j1", "j2"]
    before = said(everything(), "preferences", prefer(NOW_MS - 1, frequency="weekly"))
    assert left(said(before, "unsubscribes", unsubscribe())) == "unsubscribed"
    assert left(said(said(everything(), "unsubscribes", unsubscribe()), "users", person(ts_ms=NOW_MS + 1))) == [
        "j1",
        "j2",
    ]
    assert left(said(everything(), "users", person(ts_ms=NOW_MS, email_opt_in=False))) == "unsubscribed"


def test_a_pause_ends_by_itself() -> None:
    assert left(said(everything(), "preferences", prefer(pause_until_ms=LATE_MS + 1))) == "paused"
    assert left(said(everything(), "preferences", prefer(pause_until_ms=LATE_MS))) == ["j1", "j2"]
    assert left(said(everything(), "preferences", prefer(frequency="paused"))) == "paused"


@pytest.mark.parametrize("erased_last", [True, False])
def test_an_erased_person_is_a_stranger_whatever_is_read_first(erased_last: bool) -> None:
    erasure = Erasure(event_id="e", user_id="u1", ts_ms=NOW_MS)
    known = knowing(*JOBS)
    for topic, record in [("users", person()), ("erasures", erasure)][:: 1 if erased_last else -1]:
        said(known, topic, record)
    assert left(known) == "erased"
    later = digest(["j1"], due_ms=NOW_MS + 1)
    assert last_check(later, known, LATE_MS) == Dropped("no_address")
    back = said(known, "users", person(ts_ms=NOW_MS + 1))
    assert isinstance(last_check(later, back, LATE_MS), Fit)


def test_descriptions_are_not_kept() -> None:
    known = knowing(msgspec.structs.replace(JOBS[0], text="x" * 10_000))
    item = known.item("j1")
    assert item is not None
    assert item.text == ""
