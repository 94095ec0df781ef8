"""The watchdog on a real Kafka: a topic that was made anew is noticed by its id, whatever its offsets."""

from collections.abc import Callable
from typing import NoReturn

import pytest

import streams.watchdog
from streams.failstop import REFUSED_EXIT
from streams.settings import read_settings
from streams.watchdog import Watchdog
from tests.integration.slate import Slate


class StoppedError(Exception):
    pass


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(why: str, code: int) -> NoReturn:
        raise StoppedError(f"{code}: {why}")

    monkeypatch.setattr(streams.watchdog, "stop_process", stop)


@pytest.mark.usefixtures("stops")
def test_a_topic_that_was_made_anew_stops_the_worker(slate: Slate, new_topic: Callable[..., str]) -> None:
    name, other = new_topic(2), new_topic(2)
    settings = read_settings({}, bootstrap=slate.bootstrap)
    watchdog = Watchdog(settings, "attune.behaviour", [other, name], list, lambda: False)
    watchdog.look_at_topics()
    watchdog.look_at_topics()
    slate.wipe([name])
    watchdog.look_at_topics()  # away: that may be the broker's start
    slate.create(name, 2)
    with pytest.raises(StoppedError, match=f"^{REFUSED_EXIT}: {name} was made anew"):
        watchdog.look_at_topics()


@pytest.mark.usefixtures("stops")
def test_a_broker_that_is_away_is_no_reason_to_stop() -> None:
    settings = read_settings({}, bootstrap="127.0.0.1:1")
    Watchdog(settings, "attune.behaviour", ["views"], list, lambda: False).look_at_topics()
