"""Real job views, in order: lists are valid at every tenth event, and better than chance by far."""

import gzip
import itertools
import json
from pathlib import Path

import msgspec
import pytest

from processors.effects import Arrival, Learn
from processors.learner import Learner
from processors.pipeline import step
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import recommend
from processors.replica import Replica
from schemas.behaviour import View
from schemas.catalogue import Item
from schemas.decode import decode
from schemas.learning import Lesson
from tests.processors.market import PACK

EVENTS = 4_000


@pytest.mark.slow
def test_lists_on_real_views(data_dir: Path) -> None:
    pack = msgspec.structs.replace(PACK, min_interval_ms=86_400_000)
    replica, learner = Replica(pack), Learner(pack)
    profiles: dict[str, Profile] = {}
    waiting: dict[str, Item] = {}
    hits = asked = 0
    with gzip.open(data_dir / "jobs.jsonl.gz", "rb") as lines:
        records = (json.loads(line) for line in lines)
        for offset, record in enumerate(itertools.islice(records, 7_047 + EVENTS)):
            event = decode(record["topic"], record["key"].encode(), msgspec.json.encode(record["value"]))
            if isinstance(event, Item):
                waiting[event.item_id] = event
                continue
            if not isinstance(event, View):
                continue
            profile = profiles.setdefault(event.user_id, Profile(last_recommended_ms=2**60))
            if offset % 10 == 0 and profile.actions and event.item_id not in waiting:
                for key, value in learner.dirty_rows().items():
                    replica.apply_row(key, value)
                items = recommend(profile, event.ts_ms, replica)
                listed = [item.item_id for item in items]
                own = {action.item_id for action in profile.actions}
                assert len(set(listed)) == min(pack.list_size, len(listed))
                assert len(own.intersection(listed)) <= pack.max_seen
                assert all(item.reasons for item in items)
                asked += 1
                hits += event.item_id in listed
            if event.item_id in waiting:
                replica.put_item(waiting.pop(event.item_id))
            arrival = Arrival(event, "views", 0, offset, event.ts_ms)
            for effect in step(profile, arrival, event.ts_ms, replica, Randomness(arrival.source_id)):
                if isinstance(effect, Learn):
                    learner.learn(Lesson("views", (effect.example,)), offset)
    assert asked > 50
    assert hits / asked > 0.15
