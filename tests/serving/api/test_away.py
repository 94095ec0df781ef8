"""Redis or Kafka away: what is answered then, on the real ones."""

import time

import pytest

from tests.integration.broker import Broker
from tests.integration.waiting import eventually
from tests.serving.api.site import Site, body_of, event

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_redis_away_degrades_and_is_said(site: Site) -> None:
    site.tell(("views", event("lucky", "job-4")))
    eventually(lambda: site.list_of("lucky", limit=5)["origin"] == "stored", 20)
    site.redis.stop()
    try:
        found = site.list_of("lucky", limit=5)
        assert found["origin"] == "reranked"
        assert found["degraded"] == ["redis"]
        assert len(found["items"]) == 5
        assert site.client.get("/readyz").json()["redis"] is False
        assert site.client.get("/v1/send-times/lucky").status_code == 503
    finally:
        site.redis.start()
    eventually(lambda: site.list_of("lucky", limit=5)["degraded"] == [], 20)


def test_kafka_away_never_hangs(site: Site, broker: Broker) -> None:
    broker.pause()
    try:
        started_s = time.monotonic()
        refused = site.tell(("views", event("patient")))
        assert refused.status_code == 503
        assert "Kafka" in body_of(refused)["detail"]
        assert time.monotonic() - started_s < 10  # a bound on hanging, not a speed
        assert site.list_of("patient")["items"]
        assert site.client.delete("/v1/users/patient").status_code == 503
        assert site.client.get("/v1/users/patient").status_code == 503  # who knows whether they were forgotten
    finally:
        broker.resume()
    eventually(lambda: site.tell(("views", event("patient"))).status_code == 202, 60, 0.5)
