"""The mailer on a real Kafka and before a real mail server, both of which are hurt."""

import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas.behaviour import Unsubscribe
from streams.producing import make_producer
from tests.cli.command import attune
from tests.integration.waiting import eventually
from tests.serving.mailer.mail_server import MailHost
from tests.serving.mailer.post_office import PostOffice, verdict
from tests.serving.mailer.samples import JOBS, NOW_MS, digest, person


@pytest.fixture
def office(clean_kafka: str, tmp_path: Path) -> Iterator[PostOffice]:
    made = PostOffice(clean_kafka, tmp_path, MailHost().start())
    yield made
    made.close()


def unsubscribe(office: PostOffice, user_id: str) -> None:
    import msgspec

    producer = make_producer(office.settings)
    event = Unsubscribe(event_id=f"x-{user_id}", user_id=user_id, ts_ms=NOW_MS)
    producer.produce("unsubscribes", key=user_id.encode(), value=msgspec.json.encode(event))
    assert producer.flush(20) == 0


def test_the_whole_way(office: PostOffice) -> None:
    """Digest → mail → link → event; duplicates and unsubscribed people get nothing; a bounce is told."""
    first = digest(["j1", "j2", "nowhere"], "u1", "d1")
    unsubscribe(office, "u2")
    office.host.answers["u3@example.org"] = ["550 5.1.1 no such user"]
    office.host.answers["u4@example.org"] = ["451 try later", "451 try later"]
    others = [digest(["j1"], f"u{n}", f"d{n}") for n in (2, 3, 4)]
    office.publish(*JOBS, *(person(f"u{n}") for n in (1, 2, 3, 4)), first, first, *others)
    url = office.start().url()
    sends = {send["send_id"]: send for send in office.read("sends", 2)}
    assert set(sends) == {"d1", "d4"} == set(office.host.ids)
    assert sends["d1"] | {"digest_id": "d1", "item_ids": ["j1", "j2"], "campaign": "digest"} == sends["d1"]
    mail = next(taken for taken in office.host.taken if taken["To"] == "u1@example.org")
    unsubscribing = mail["List-Unsubscribe"].strip("<>")
    assert unsubscribing.startswith(url)
    assert httpx.post(unsubscribing, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    asked = {event["user_id"]: event.get("cause", "user") for event in office.read("unsubscribes", 3)}
    assert asked == {"u1": "user", "u2": "user", "u3": "bounce"}
    link = next(line.strip() for line in mail.get_body(("plain",)).get_content().splitlines() if "/c/" in line)
    assert httpx.get(link).headers["location"] == "https://jobs.example/j1"
    (click,) = office.read("clicks", 1)
    assert (click["send_id"], click["item_id"]) == ("d1", "j1")
    office.publish(digest(["j2"], "u1", "d5"), first)
    eventually(lambda: office.counts() == {"sent": 2, "dropped": 2, "refused": 1}, 20)
    assert 'attune_mails_total{outcome="sent"} 2.0' in httpx.get(f"{url}/metrics").text
    assert office.stop() == 0
    assert office.host.ids.total() == 2


def test_a_mail_server_that_goes_and_comes_back(office: PostOffice) -> None:
    expected = set(office.people_and_digests(20))
    office.start()
    eventually(lambda: len(office.host.taken) >= 3, 30)
    office.host.stop()
    expected |= set(office.people_and_digests(20, start=1))
    eventually(lambda: "the mail server is away" in office.log.read_text(), 30)
    office.host.start()
    eventually(lambda: set(office.host.ids) | office.ambiguous() == expected, 60)
    assert verdict(office, expected) is None
    assert len(office.ambiguous()) <= 1


def test_killed_at_random_points_nothing_is_lost_or_doubled(office: PostOffice) -> None:
    kills(office, seeds=2)


@pytest.mark.faults
def test_killed_at_twenty_random_points(office: PostOffice) -> None:
    kills(office, seeds=20)


def kills(office: PostOffice, seeds: int) -> None:
    expected: set[str] = set()
    for seed in range(seeds):
        rng = random.Random(seed)
        expected |= set(office.people_and_digests(30, start=seed))
        before = len(office.host.taken)
        office.start()
        wanted = before + rng.randrange(1, 25)
        eventually(lambda wanted=wanted: len(office.host.taken) >= wanted, 40)
        office.kill()
    office.start()
    eventually(lambda: set(office.host.ids) | office.ambiguous() >= expected, 60, 0.5)
    assert verdict(office, expected) is None
    assert len(office.ambiguous()) <= seeds
    said = {send["send_id"] for send in office.read("sends", len(expected - office.ambiguous()))}
    assert expected - office.ambiguous() <= said


def test_what_is_ambiguous_is_listed_never_repeated_and_settled_by_hand(office: PostOffice) -> None:
    office.host.vanish_after_data = 2
    office.publish(*JOBS, person("u1"), person("u2"), digest(["j1"], "u1", "d1"), digest(["j1"], "u2", "d2"))
    office.start()
    eventually(lambda: office.ambiguous() == {"d1", "d2"}, 30)
    assert office.stop() == 0
    assert attune("mailer", "settle", "d1", "--as", "sent", **office.names).code == 0
    assert attune("mailer", "settle", "d2", "--as", "unsent", **office.names).code == 0
    refused = attune("mailer", "settle", "d1", "--as", "sent", **office.names)
    assert (refused.code, "not ambiguous but sent" in refused.err) == (1, True)
    office.start()
    eventually(lambda: office.host.ids == {"d1": 1, "d2": 2}, 30)
    assert {send["send_id"] for send in office.read("sends", 2)} == {"d1", "d2"}
    assert office.ambiguous() == set()


def test_two_mailers_never_share_a_journal_and_topics_must_be_there(office: PostOffice) -> None:
    office.start().url()
    second = attune("mailer", "--once", **office.names)
    assert (second.code, "another mailer is at work" in second.err) == (1, True)


def test_an_outbox_takes_what_there_is_and_the_command_ends(office: PostOffice, tmp_path: Path) -> None:
    office.publish(*JOBS, person("u1"), digest(["j1", "j2"], "u1", "d1"))
    done = attune("mailer", "--once", "--outbox", str(tmp_path / "box"), **office.names)
    assert done.code == 0, done.err
    (file,) = (tmp_path / "box").glob("*.eml")
    assert file.name == "d1.eml"
    assert office.host.taken == []
