"""`attune challenger` on a real Kafka: fitted, compared in shadow, served by the switch, rolled back."""

from typing import Any

import msgspec
import pytest

from attune.console import HouseLookups
from processors.replica import Replica
from schemas.learning import Lesson
from serving.console.lookups import UnavailableError
from streams.admin import create_topics
from streams.producing import make_producer
from streams.replica_reader import ReplicaReader
from streams.settings import Settings, read_settings
from tests.cli.command import attune, environment
from tests.evaluation.challengers import logged

pytestmark = pytest.mark.slow


def log(settings: Settings, count: int, first: int) -> None:
    producer = make_producer(settings)
    for example in logged(count, True, seed=first + 1, first=first):
        producer.produce("learning", msgspec.msgpack.encode(Lesson("views", (example,))), partition=0)
    assert producer.flush(30) == 0


def test_fitted_compared_served_and_rolled_back(clean_kafka: str, tmp_path: Any) -> None:
    own = tmp_path / "attune.toml"
    own.write_text('[packs.jobs]\nmodels = "blend"\n')
    names = {"bootstrap": clean_kafka, "partitions": "2", "config": str(own)}
    settings = read_settings(environment(**names))
    create_topics(settings)

    def told(command: str, *more: str) -> Any:
        done = attune("challenger", command, "--json", *more, **names)
        assert done.code == 0, done.err
        return done.json

    nothing = attune("challenger", "status", **names)
    assert nothing.code == 1
    assert "there is no challenger" in nothing.err
    few = attune("challenger", "fit", **names)
    assert few.code == 1
    assert "a challenger needs" in few.err

    log(settings, 600, 0)
    fitted = told("fit")
    assert fitted["examples"] == 600
    assert fitted["serves"] is False
    early = attune("challenger", "serve", **names)
    assert early.code == 1
    assert "has not decided" in early.err

    log(settings, 1_400, 600)
    shadow = told("status")["shadow"]
    assert shadow["compared"] == 1_400
    assert shadow["winner"] == "challenger"
    served = told("serve")
    assert served["serves"] is True
    assert served["last_change"]["change"] == "serve"
    assert serving(settings) is True
    console = HouseLookups(settings)
    shown = console.versions().challenger
    assert shown is not None
    assert (shown.serves, shown.model, shown.winner) == (True, fitted["model"], "challenger")
    with pytest.raises(UnavailableError, match="does not rank"):
        console.rollback("another")
    console.rollback(shown.model)
    assert serving(settings) is False
    with pytest.raises(UnavailableError, match="does not rank"):
        console.rollback(shown.model)
    assert told("serve")["serves"] is True
    rolled = told("rollback")
    assert rolled["serves"] is False
    assert serving(settings) is False
    assert told("status")["model"] == fitted["model"]


def test_kept_by_the_comparison_alone(clean_kafka: str, tmp_path: Any) -> None:
    own = tmp_path / "attune.toml"
    own.write_text('[packs.jobs]\nmodels = "blend"\n')
    names = {"bootstrap": clean_kafka, "partitions": "2", "config": str(own)}
    settings = read_settings(environment(**names))
    create_topics(settings)

    def looked(*more: str) -> Any:
        done = attune("challenger", "keep", "--once", "--json", *more, **names)
        assert done.code == 0, done.err
        return done.json["last_change"]["change"] if done.out else done.err

    assert "a challenger needs" in looked()
    log(settings, 600, 0)
    assert looked() == "fit"
    assert looked() == ""  # nothing is decided
    log(settings, 1_400, 600)
    assert looked() == "serve"
    assert serving(settings) is True
    assert looked() == ""
    assert attune("challenger", "rollback", **names).code == 0
    assert looked() == ""  # it won, but somebody did not want it
    assert serving(settings) is False
    assert looked("--refit-h", "0") == "fit"


def serving(settings: Settings) -> bool:
    """What a worker's replica makes of the rows."""
    replica = Replica(settings.pack)
    reader = ReplicaReader(settings, replica)
    reader.start()
    reader.catch_up()
    reader.stop()
    return replica.challenger is not None
