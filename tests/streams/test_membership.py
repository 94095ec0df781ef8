"""What the group thinks of a worker, asked from any thread."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from streams.faust_app import Membership, make_app
from streams.profile_table import ProfileTable
from streams.settings import read_settings


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    asyncio.set_event_loop(None)
    made.close()


def test_a_thread_that_asks_first_does_not_take_recovery_to_a_loop_of_its_own(loop: asyncio.AbstractEventLoop) -> None:
    """A worker whose status was asked for before Faust started waited for ever for a loop that nobody ran."""
    app = make_app(read_settings({}), "attune.behaviour", 4, ProfileTable)
    app.Table("profiles", partitions=4, key_type=bytes, value_type=bytes)
    membership = Membership(app)
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(membership.recovered))
    asking.start()
    asking.join()
    assert answers == [False]
    assert app.tables.recovery.loop is loop


def test_faust_makes_its_directory_in_ours(loop: asyncio.AbstractEventLoop) -> None:
    """Not in the working directory, which a container may not write to."""
    app = make_app(read_settings({"ATTUNE_STATE_DIR": "/var/lib/attune"}), "attune.learner", 4, ProfileTable)
    assert str(app.conf.datadir) == "/var/lib/attune/attune.learner-data"
    assert str(app.conf.tabledir).startswith("/var/lib/attune/")
