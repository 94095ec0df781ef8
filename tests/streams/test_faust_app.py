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
