"""What a taste is where the person's history is strange."""

import pytest

from processors.pack import Pack
from processors.profile import Action, Profile
from processors.replica import Replica
from processors.taste import taste_of
from schemas.catalogue import Item, Location

NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize(("looked_ms", "expected"), [(NOW_MS - 1, 1), (0, 0)])
def test_a_place_that_was_looked_at_half_a_century_ago_is_none(looked_ms: int, expected: int) -> None:
    replica = Replica(Pack(name="jobs"))
    replica.put_item(Item(item_id="here", title="Baker", location=Location(city="Austin", region="TX", country="US")))
    replica.put_item(Item(item_id="nowhere", title="Baker"))
    looks = [Action(looked_ms, "views", 0, "here", 0), Action(NOW_MS, "views", 1, "nowhere", 0)]
    taste = taste_of(Profile(actions=looks, totals={"views": 2}, last_event_ms=NOW_MS), NOW_MS, replica)
    assert len(taste.place.cities) == expected
