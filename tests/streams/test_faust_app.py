"""What a Faust app is made with."""

import asyncio
from collections.abc import Iterator

import pytest

from streams.faust_app import make_app
from streams.settings import read_settings


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    asyncio.set_event_loop(None)
    made.close()


def test_faust_makes_its_directory_in_ours(loop: asyncio.AbstractEventLoop) -> None:
    """Not in the working directory, which a container may not write to."""
    app = make_app(read_settings({"ATTUNE_STATE_DIR": "/var/lib/attune"}), "attune.learner", 4)
    assert str(app.conf.datadir) == "/var/lib/attune/attune.learner-data"
    assert str(app.conf.tabledir).startswith("/var/lib/attune/")


def test_members_of_a_group_are_given_partitions_of_one_number_together(loop: asyncio.AbstractEventLoop) -> None:
    """Faust does so for a group with standbys alone; with tables there are none, so this says nothing else."""
    app = make_app(read_settings({}), "attune.behaviour", 4)
    assert app.conf.table_standby_replicas > 0


def test_a_spare_member_never_counts_as_idle(loop: asyncio.AbstractEventLoop) -> None:
    """One that polls nothing for longer would leave the group, and not come back."""
    app = make_app(read_settings({}), "attune.behaviour", 4)
    assert app.conf.broker_max_poll_interval > 10 * 365 * 86_400
