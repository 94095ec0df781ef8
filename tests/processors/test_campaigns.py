"""Occasions to write: each by itself, what cancels it, who wins, and that no mail says a thing twice."""

import random

import msgspec
import numpy as np
import pytest

from processors.campaigns import alert, closing, complements, ledger, nudge, price, stock
from processors.campaigns.arbitration import compose, proposals_of
from processors.campaigns.moment import Moment
from processors.campaigns.reactivation import SALT, step_of
from processors.campaigns.watched import MAX_WATCHED, look_again, told, watch
from processors.effects import Arrival, Mailing
from processors.experiment import unit_of
from processors.mail_rules import MailRules
from processors.mailing import mail_due
from processors.occasions import Occasions
from processors.pack import Pack
from processors.pipeline import admit, step
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import Decided, decide
from processors.replica import Replica
from processors.sending import DECIDED, Mail, Sending
from processors.ways import listed_now
from schemas.behaviour import Apply, Event, Money, Save, View
from schemas.catalogue import Alert, Item, StatedPreferences, User
from schemas.decisions import Digest
from tests.processors.market import NOW_MS, PACK, job, replica

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
TOPICS = {View: "views", Save: "saves", Apply: "applies", User: "users"}


def replica_of(pack: Pack = PACK, items: int = 60) -> Replica:
    return replica(items, pack)


SHOP = Pack(name="shop", applied="allow", occasions=Occasions(deed="bought"))


class One:
    """One person before a replica."""

    def __init__(self, replica: Replica | None = None) -> None:
        self.replica = replica_of() if replica is None else replica
        self.profile, self.offsets = Profile(sending=Sending()), dict[str, int]()

    @property
    def state(self) -> Sending:
        assert self.profile.sending is not None
        return self.profile.sending

    def do(self, event: Event | User, now_ms: int | None = None) -> "One":
        topic = TOPICS[type(event)]
        offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
        ts_ms = event.ts_ms or NOW_MS
        arrival = Arrival(event, topic, 0, offset, ts_ms)
        assert admit(self.profile, arrival) == "apply"
        step(self.profile, arrival, now_ms or ts_ms, self.replica, Randomness(arrival.source_id))
        return self

    def view(self, item_id: str, ago_ms: int, times: int = 1) -> "One":
        for n in range(times):
            self.do(View(event_id=f"v{item_id}{ago_ms}{n}", user_id="u1", item_id=item_id, ts_ms=NOW_MS - ago_ms + n))
        return self

    def save(self, item_id: str, ago_ms: int, undo: bool = False) -> "One":
        at_ms = NOW_MS - ago_ms
        return self.do(Save(event_id=f"s{item_id}{at_ms}", user_id="u1", item_id=item_id, ts_ms=at_ms, undo=undo))

    def apply(self, item_id: str, ago_ms: int, **more: object) -> "One":
        at_ms = NOW_MS - ago_ms
        event = Apply(event_id=f"a{item_id}{at_ms}", user_id="u1", item_id=item_id, ts_ms=at_ms, **more)  # type: ignore[arg-type]
        return self.do(event)

    def moment(self, now_ms: int = NOW_MS) -> Moment:
        return Moment(self.profile, self.state, "u1", now_ms, self.replica)

    def listed(self, size: int = 10, now_ms: int = NOW_MS) -> Decided:
        return decide(self.profile, now_ms, self.replica, None, size)


def test_a_nudge_names_the_item_closest_to_the_deed_and_brings_others() -> None:
    one = One().view("j6", 2 * DAY_MS, times=3).view("j12", DAY_MS).save("j18", 2 * DAY_MS)
    found = nudge.propose(one.moment())
    assert found is not None
    assert found.leads[0].item_id == "j18"
    assert found.leads[0].reason == "you saved it and have not applied yet"
    assert 1 <= len(found.others) <= 4
    assert not {"j6", "j12", "j18"} & {pick.item_id for pick in found.others}


@pytest.mark.parametrize("ago_ms", [HOUR_MS, 8 * DAY_MS])
def test_no_nudge_while_they_decide_nor_long_after(ago_ms: int) -> None:
    assert nudge.propose(One().view("j6", ago_ms, times=5).moment()) is None


def test_two_looks_are_no_reason_and_a_save_taken_back_is_none() -> None:
    assert nudge.propose(One().view("j6", DAY_MS, times=2).moment()) is None
    assert nudge.propose(One().save("j6", 2 * DAY_MS).save("j6", DAY_MS, undo=True).moment()) is None


@pytest.mark.parametrize("pack", [PACK, SHOP], ids=["jobs", "shop"])
@pytest.mark.parametrize("why", ["done", "retired", "expired", "sold out"])
def test_whatever_ends_the_occasion_cancels_the_nudge(pack: Pack, why: str) -> None:
    one = One(replica_of(pack)).view("j6", DAY_MS, times=4)
    found = nudge.propose(one.moment())
    assert found is not None
    assert found.leads[0].item_id == "j6"
    match why:
        case "done":
            one.apply("j6", HOUR_MS)
        case "retired":
            one.replica.retire_item("j6")
        case "expired":
            one.replica.put_item(job(6, expires_ms=NOW_MS))
        case "sold out":
            one.replica.put_item(job(6, available=False))
    left = nudge.propose(one.moment())
    assert left is None or left.leads[0].item_id != "j6"


def test_closing_within_two_days_for_those_who_cared() -> None:
    one = One().save("j6", 5 * DAY_MS).view("j12", 4 * DAY_MS)
    assert closing.propose(one.moment()) is None
    one.replica.put_item(job(6, expires_ms=NOW_MS + 20 * HOUR_MS))
    one.replica.put_item(job(12, expires_ms=NOW_MS + 20 * HOUR_MS))
    found = closing.propose(one.moment())
    assert found is not None
    assert [(pick.item_id, pick.reason) for pick in found.leads] == [("j6", "closes in 20 hours")]


def priced(amount: float, **more: object) -> Item:
    return job(6, price=Money(amount, "EUR"), expires_ms=None, **more)


def test_a_price_that_fell_since_they_looked_is_told_once() -> None:
    one = One(replica_of(SHOP))
    one.replica.put_item(priced(100.0))
    one.view("j6", DAY_MS)
    assert price.propose(one.moment()) is None
    one.replica.put_item(priced(96.0))
    assert price.propose(one.moment()) is None
    one.replica.put_item(priced(80.0))
    found = price.propose(one.moment())
    assert found is not None
    assert found.leads[0].reason == "20% less than when you looked"
    told(one.state, ["j6"], one.replica)
    assert price.propose(one.moment()) is None


def test_back_in_stock_whether_they_saw_it_gone_or_we_did() -> None:
    saw, heard = One(replica_of(SHOP)), One(replica_of(SHOP))
    saw.replica.put_item(priced(10.0, available=False))
    saw.view("j6", DAY_MS)
    heard.replica.put_item(priced(10.0))
    heard.view("j6", DAY_MS)
    heard.replica.put_item(priced(10.0, available=False))
    look_again(heard.state, heard.replica)
    for one in (saw, heard):
        assert stock.propose(one.moment()) is None
        one.replica.put_item(priced(10.0))
        assert stock.propose(one.moment()) is not None
    saw.apply("j6", HOUR_MS)
    assert stock.propose(saw.moment()) is None


def test_watched_items_are_few_and_the_latest() -> None:
    state, made = Sending(), replica_of()
    for n in range(100):
        made.put_item(Item(item_id=f"p{n}", price=Money(1.0, "EUR")))
    for n in random.Random(1).sample(range(100), 100):
        event = View(event_id=f"e{n}", user_id="u1", item_id=f"p{n}", ts_ms=n * 1_000)
        watch(state, event, made)
    assert sorted(state.watched) == sorted(f"p{n}" for n in range(100 - MAX_WATCHED, 100))


def test_what_goes_with_a_purchase_of_a_repeat_customer() -> None:
    items = [job(n, expires_ms=None) for n in range(60)]
    one = One(replica_of(SHOP))
    for item in items:
        one.replica.put_item(item)
    once = One(one.replica).apply("j6", 2 * DAY_MS)
    assert complements.propose(once.moment()) is None
    again = One(one.replica).apply("j7", 9 * DAY_MS).apply("j6", 2 * DAY_MS)
    found = complements.propose(again.moment())
    if found is not None:
        assert not {"j6", "j7"} & {pick.item_id for pick in found.leads}
    assert complements.propose(One(replica_of()).apply("j7", 9 * DAY_MS).apply("j6", 2 * DAY_MS).moment()) is None


def test_an_alert_for_a_saved_search_and_for_a_stated_title_new_since_the_last_mail() -> None:
    asked = (
        User(user_id="u1", ts_ms=NOW_MS - DAY_MS, alerts=(Alert(alert_id="a", query="pastry cook"),)),
        User(user_id="u1", ts_ms=NOW_MS - DAY_MS, preferences=StatedPreferences(titles=("Pastry Cook",))),
    )
    for user in asked:
        one = One().do(user)
        old = alert.propose(one.moment(NOW_MS - 100 * DAY_MS))
        assert old is None
        one.replica.put_item(job(3, item_id="fresh", title="Pastry Cook, Bistro", posted_ms=NOW_MS - HOUR_MS))
        found = alert.propose(one.moment())
        assert found is not None
        assert "fresh" in {pick.item_id for pick in found.leads}
        one.state.mails.append(Mail(1, (NOW_MS - HOUR_MS // 2) // 1000, flags=DECIDED))
        assert alert.propose(one.moment()) is None


def somebody(treated: bool) -> str:
    control = PACK.occasions.reactivation_control
    return next(f"u{n}" for n in range(1_000) if (unit_of(SALT, f"u{n}") >= control) == treated)


def test_the_silent_hear_thrice_and_the_control_arm_never() -> None:
    one = One().view("j6", 0)
    one.state.seen_ms = NOW_MS
    heard = []
    for day in range(1, 200):
        now_ms = NOW_MS + day * DAY_MS
        found = step_of(Moment(one.profile, one.state, somebody(treated=True), now_ms, one.replica))
        assert (found == "awake") == (day < 30)
        if found == "due":
            heard.append(day)
            one.state.mails.append(Mail(day, now_ms // 1000, flags=DECIDED))
        assert day < 30 or step_of(Moment(one.profile, one.state, somebody(False), now_ms, one.replica)) == "control"
    assert heard == [30, 60, 90]


def test_no_list_is_made_for_the_silent_who_are_not_written_to() -> None:
    one = One().view("j6", 0)
    one.state.seen_ms = NOW_MS

    def listed() -> Decided:
        raise AssertionError("a list was asked for")

    later_ms = NOW_MS + 40 * DAY_MS
    resting = compose(Moment(one.profile, one.state, somebody(treated=False), later_ms, one.replica), listed, 10)
    assert resting.refused is not None
    assert resting.items == ()
    due = Moment(one.profile, one.state, somebody(treated=True), later_ms, one.replica)
    with pytest.raises(AssertionError, match="a list was asked for"):
        compose(due, listed, 10)


def test_the_more_urgent_wins_the_others_are_merged_and_what_finds_no_room_is_deferred() -> None:
    one = One().save("j6", 2 * DAY_MS).save("j12", 6 * DAY_MS)
    one.replica.put_item(job(12, expires_ms=NOW_MS + 5 * HOUR_MS))
    names = [proposal.campaign for proposal in proposals_of(one.moment())]
    assert names == ["nudge", "closing"]
    mail = compose(one.moment(), one.listed, 10)
    assert mail.campaign == "nudge"
    assert "closing" in {item.source for item in mail.items}
    assert [item.rank for item in mail.items] == list(range(1, len(mail.items) + 1))
    assert len({item.item_id for item in mail.items}) == len(mail.items)
    narrow = compose(one.moment(), one.listed, 1)
    assert len(narrow.items) == 1
    assert "closing: deferred to the next mail" in narrow.reasons
    assert compose(one.moment(), one.listed, 10, campaigns=False).campaign == "digest"


def test_features_stay_with_the_items_of_the_list() -> None:
    one = One().save("j6", 2 * DAY_MS)
    decided = one.listed()
    mail = compose(one.moment(), lambda: decided, 10)
    rows = {item.item_id: row for item, row in zip(decided.items, decided.features, strict=True)}
    assert [list(row) for row in mail.features] == [list(rows[item_id]) for item_id in mail.listed]
    assert set(mail.listed) <= {item.item_id for item in mail.items}


def test_an_item_is_in_no_mail_twice_within_two_weeks_unless_it_changed() -> None:
    state, made = Sending(), replica_of()
    ledger.note(state, ["j6"], NOW_MS, made)
    for day in range(16):
        assert ledger.is_repeat(state, "j6", NOW_MS + day * DAY_MS, made) == (day <= 14)
    made.put_item(job(6, salary=None))
    assert not ledger.is_repeat(state, "j6", NOW_MS, made)
    for n in range(200):
        ledger.note(state, [f"x{n}"], NOW_MS + n * HOUR_MS, made)
    assert len(state.ledger) <= 3 * ledger.MAX_ENTRIES + 2 * 9 + 1  # 200 hours are part of nine days


def test_what_mails_held_of_late_takes_no_place_from_others_of_its_brand() -> None:
    """Caps count what a mail holds: three mailed items of a brand must not keep its other items out for two weeks."""
    one = One(replica_of(PACK, 40))
    for number in range(40):
        one.replica.put_item(job(number, brand="Only", location=None))
    first = [item.item_id for item in listed_now(one.profile, "u1", NOW_MS, one.replica, 3).items]
    ledger.note(one.state, first, NOW_MS, one.replica)
    rows = np.array(one.replica.catalogue.rows_of(first), np.intp)
    assert ledger.repeats(one.state, NOW_MS, one.replica, rows).all()
    second = [item.item_id for item in listed_now(one.profile, "u1", NOW_MS, one.replica, 3).items]
    assert len(second) == len(first) == 3
    assert not set(first) & set(second)


@pytest.mark.parametrize("seed", range(3))
def test_months_of_mail_repeat_nothing(seed: int) -> None:
    """An independent look at all mails of a busy person: 0 repeats within 14 days."""
    rules = MailRules(holdout=0.0, explored=0.0, min_new_items=1)
    one, rng = One(replica_of(msgspec.structs.replace(PACK, mail=rules), 400)), random.Random(seed)
    one.do(User(user_id="u1", ts_ms=NOW_MS - DAY_MS, tz="Europe/Berlin", email_opt_in=True))
    mails: list[Digest] = []
    for day in range(1, 25):
        for _ in range(3):
            one.view(f"j{rng.randrange(400)}", -day * DAY_MS + rng.randrange(8 * HOUR_MS))
        while (due_ms := one.state.due_ms) is not None and due_ms <= NOW_MS + day * DAY_MS:
            effects = mail_due(one.profile, "u1", due_ms, due_ms, False, one.replica, f"wake-{due_ms}")
            mails += [effect.digest for effect in effects if isinstance(effect, Mailing)]
    assert len(mails) >= 5
    last: dict[str, int] = {}
    for mail in mails:
        for item in mail.items:
            assert mail.due_ms - last.get(item.item_id, 0) >= 14 * DAY_MS, item
            last[item.item_id] = mail.due_ms
