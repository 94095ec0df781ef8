"""`attune sending status` on topics written here."""

import msgspec

from processors.learner import Learner
from processors.pack import Pack
from schemas.decisions import Digest, SendTime
from schemas.learning import Lesson
from schemas.mail_labels import MailLabel, Weighed
from streams.producing import make_producer
from streams.settings import Settings
from tests.cli.command import attune

START_MS, DAY_MS = 1_743_033_600_000, 86_400_000
NOTHING = bytes(96)


def test_volume_price_reasons_and_calibration(settings: Settings) -> None:
    producer = make_producer(settings)
    decisions = [
        SendTime("d0", "u0", START_MS, None, "UTC", "worth 0.0010 apply-starts", suppressed="fatigue"),
        SendTime("d1", "u0", START_MS + 1, START_MS + DAY_MS, "UTC", "as is usual", slot=3, propensity=0.5),
        SendTime("d2", "u1", START_MS, None, "UTC", "they paused all mail", suppressed="unsubscribed"),
        SendTime("d3", "u2", START_MS, None, "UTC", "they paused all mail", suppressed="unsubscribed"),
    ]
    for decision in decisions:
        producer.produce("send-times", key=decision.user_id.encode(), value=msgspec.json.encode(decision))
    digest = Digest("g1", "u0", "digest", START_MS, "hello", ())
    producer.produce("digests", key=b"u0", value=msgspec.json.encode(digest))
    learner = Learner(Pack(name="jobs"))
    for n in range(40):
        label = MailLabel(
            n, START_MS + n * DAY_MS // 8, 9, "", 0.25, 0.1, NOTHING, NOTHING, NOTHING, predicted=0.1, uplift=0.01,
            started=n % 4 == 0, is_withheld=n % 8 == 1,
        )  # fmt: skip
        look = Weighed(1_000 + n, label.at_ms, 0.01, True, 1.0, 3.0)
        learner.learn(Lesson("wake", (), (label,), (look,)), n)
    for key, value in learner.dirty_rows().items():
        producer.produce("model", key=key, value=value, partition=0)
    assert producer.flush(20) == 0

    done = attune("sending", "status", "--json", bootstrap=settings.bootstrap)
    assert done.code == 0, done.err
    status = done.json
    assert status["planned"] == 1
    assert status["suppressed"] == {"unsubscribed": 2}
    assert status["reasons"] == {"they paused all mail": 2}
    assert status["digests"] == {"digest": 1}
    assert status["price"] > 0.0
    assert abs(status["mails_a_week"] - 7.0) < 0.01
    [row] = status["uplift"]
    assert row["observed"] == row["started"] - row["started_without"]
    told = attune("sending", "status", bootstrap=settings.bootstrap)
    assert told.code == 0
    assert "they paused all mail" in told.out
