"""`attune preview`: the mail a person would get now, from their list in Redis and from items and people on Kafka."""

import threading
from pathlib import Path

import msgspec
import pytest

from schemas.decisions import Recommendation, Trigger
from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.producing import make_producer
from streams.redis_view import RedisView
from streams.settings import read_settings
from streams.sink import Sink
from tests.cli.command import attune
from tests.integration.waiting import eventually
from tests.serving.mailer.samples import JOBS, NOW_MS, listed, person


@pytest.mark.parametrize("opted_in", [True, False])
def test_the_mail_one_would_get_now(clean_kafka: str, tmp_path: Path, opted_in: bool) -> None:
    with EmbeddedRedis() as store:
        settings = read_settings({}, bootstrap=clean_kafka, redis=store.url, partitions=4, erasure_key="secret")
        create_topics(settings)
        items = tuple(listed(item.item_id, rank) for rank, item in enumerate(JOBS, 1))
        made = Recommendation("r1", "u1", "site", NOW_MS, Trigger("views", "e1", NOW_MS), items, "learning-1")
        producer = make_producer(settings)
        for item in JOBS:
            producer.produce("items", key=item.item_id.encode(), value=msgspec.json.encode(item))
        row = person("u1", email_opt_in=opted_in)
        producer.produce("users", key=b"u1", value=msgspec.json.encode(row))
        producer.produce("recommendations", key=b"u1", value=msgspec.json.encode(made))
        assert producer.flush(20) == 0
        stopping = threading.Event()
        sink = threading.Thread(target=Sink(settings).run, args=(stopping,))
        sink.start()
        try:
            eventually(lambda: RedisView(settings).recommendation("u1"), 40)
        finally:
            stopping.set()
            sink.join(20)
        files = {"html": tmp_path / "mail.html", "eml": tmp_path / "mail.eml"}
        options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
        done = attune(
            "preview", "u1", *options, bootstrap=clean_kafka, redis=store.url, partitions="4", clock="log",
            state_dir=str(tmp_path),
        )  # fmt: skip
        if not opted_in:
            assert (done.code, "would get no mail now: unsubscribed" in done.err) == (1, True)
            return
        assert done.code == 0, done.err
        assert all(item.title in done.out for item in JOBS)
        assert JOBS[0].title in files["html"].read_text()
        assert b"List-Unsubscribe-Post" in files["eml"].read_bytes()
