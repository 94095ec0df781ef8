"""The mailer: takes digests from Kafka as a member of its group, and serves the pages that mails lead to."""

import threading
import time
from functools import partial
from typing import Final

import msgspec
import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from prometheus_client import CollectorRegistry, Gauge

from schemas.decisions import Digest
from serving.mailer.announcer import Announcer
from serving.mailer.config import MailerConfig
from serving.mailer.delivery import Delivery
from serving.mailer.errors import MailerError
from serving.mailer.follower import Follower
from serving.mailer.journal import Journal
from serving.mailer.known import Known
from serving.mailer.links import Links
from serving.mailer.pages import Office, make_pages
from serving.mailer.postbox import MailServer, Outbox, Postbox
from serving.mailer.web_server import WebServer
from streams.topics import MAILER_GROUP

POLL_S: Final = 0.2
IDLE_S: Final = 3.0
"""With `once`: nothing came for so long, so everything is done."""
Place = tuple[str, int]


class Mailer:
    """Everything together; `run` works until `stop`."""

    def __init__(self, config: MailerConfig, host: str = "127.0.0.1", port: int = 0) -> None:
        self.config = config
        self._log = structlog.get_logger("attune.mailer")
        self._stop = threading.Event()
        self._log_ms = 0
        self.known = Known()
        self.journal = Journal(config.state_dir)
        self.registry = CollectorRegistry()
        self.announcer = Announcer(config.bootstrap, config.kafka)
        self.follower = Follower(config.bootstrap, config.kafka, self.known, self._forget)
        self.links = Links(config.link_key, config.public_url)
        office = Office(config, self.known, self.links, self.announcer, self.now_ms, self.registry)
        self.web = WebServer(make_pages(office), host, port)
        self._owned: set[Place] = set()
        self._reached: dict[Place, int] = {}
        self._active_s = 0.0
        self._consumer = self._make_consumer()
        for state in ("queued", "ambiguous"):
            gauge = Gauge(f"attune_mails_{state}", f"Mails that are {state}", registry=self.registry)
            gauge.set_function(partial(self._count, state))
        self.delivery = Delivery(
            config, self.known, self.journal, self._postbox(), self.announcer, self.links, self.now_ms, self.wait,
            self.registry,
        )  # fmt: skip

    def now_ms(self) -> int:
        """The clock in force: the wall's, or the latest digest's due time in a replay."""
        return int(time.time() * 1000) if self.config.clock == "wall" else self._log_ms

    def start(self) -> None:
        """Read what is there, then answer. Raises MailerError."""
        self.follower.start()
        self.web.start()
        if not self.links.base_url:
            self.links.base_url = f"http://{self.web.host}:{self.web.port}"
        self.follower.catch_up()
        self.delivery.recover()
        self._consumer.subscribe(["digests"], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def run(self, once: bool = False) -> None:
        """Deliver until `stop`; `once`: until nothing is left to do."""
        while not self._stop.is_set():
            if self.follower.failure:
                raise MailerError(self.follower.failure)
            message = self._consumer.poll(POLL_S)
            if message is not None and message.error() is None:
                self._active_s = time.monotonic()
                self._take(message)
                continue
            self._commit_all()
            self.delivery.retry()
            quiet = self._owned and time.monotonic() - self._active_s > IDLE_S
            if once and quiet and not self.journal.counts().get("queued"):
                return

    def stop(self) -> None:
        """End `run` soon; may be called from a signal handler."""
        self._stop.set()

    def close(self) -> None:
        """Leave the group and tell Kafka what is still to be told."""
        self._commit_all()
        self._consumer.close()
        self.web.close()
        self.follower.close()
        self.announcer.close()
        self.delivery.postbox.close()
        self.journal.close()

    def wait(self, seconds: float) -> bool:
        """Let time pass while staying a member of the group; False where the mailer is to stop."""
        until_s = time.monotonic() + seconds
        self._consumer.pause(self._consumer.assignment())
        while not self._stop.is_set() and (left_s := until_s - time.monotonic()) > 0:
            message = self._consumer.poll(min(left_s, POLL_S))
            if message is not None and message.error() is None:  # of a partition that came meanwhile
                self._consumer.seek(
                    TopicPartition(message.topic() or "", message.partition() or 0, message.offset() or 0)
                )
            self._consumer.pause(self._consumer.assignment())
        self._consumer.resume(self._consumer.assignment())
        return not self._stop.is_set()

    def _take(self, message: Message) -> None:
        value = message.value()
        place, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
        self._log_ms = max(self._log_ms, message.timestamp()[1] if value is None else _due_ms(value))
        if value is None or self.delivery.take(value, lambda: self._commit(place, offset + 1)):
            self._reached[place] = offset + 1
        elif place in self._owned and self.wait(self.config.first_retry_s) and place in self._owned:
            self._consumer.seek(TopicPartition(*place, offset))

    def _forget(self, user_id: str, until_ms: int) -> None:
        known = self.journal.mails_to(user_id, until_ms)
        if known:  # the journal last: only it knows which files are whose, should the process end here
            self.delivery.postbox.forget(known)
            self.journal.forget(user_id, until_ms)

    def _count(self, state: str) -> int:
        return self.journal.counts().get(state, 0)

    def _commit(self, place: Place, offset: int) -> bool:
        """Make an offset durable before a mail goes; False where the partition belongs to someone else by now."""
        if place not in self._owned or self._stop.is_set():
            return False
        try:
            self._consumer.commit(offsets=[TopicPartition(*place, offset)], asynchronous=False)
        except KafkaException as error:
            self._log.warning("an offset could not be committed, the mail is left to others", error=str(error))
            return False
        return True

    def _commit_all(self) -> None:
        """Offsets of what needed no mail."""
        reached = [TopicPartition(*place, offset) for place, offset in self._reached.items() if place in self._owned]
        if not reached:
            return
        try:
            self._consumer.commit(offsets=reached, asynchronous=False)
        except KafkaException as error:
            self._log.warning("offsets could not be committed", error=str(error))
            return
        self._reached.clear()

    def _assigned(self, _: Consumer, places: list[TopicPartition]) -> None:
        """What the mailer before us said that it sent is read first."""
        self.follower.catch_up("sends")
        self._active_s = time.monotonic()
        self._owned |= {(place.topic, place.partition) for place in places}

    def _revoked(self, _: Consumer, places: list[TopicPartition]) -> None:
        gone = {(place.topic, place.partition) for place in places}
        self._owned -= gone
        self._reached = {place: offset for place, offset in self._reached.items() if place not in gone}

    def _postbox(self) -> Postbox:
        if self.config.outbox is not None:
            return Outbox(self.config.outbox)
        if not self.config.smtp:
            raise MailerError("smtp: name a mail server (ATTUNE_SMTP=smtps://user:password@host), or give --outbox DIR")
        return MailServer(self.config.smtp)

    def _make_consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.config.bootstrap,
                "group.id": MAILER_GROUP,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 10_000,
                "log_level": 0,
                **self.config.kafka,
            }
        )


def _due_ms(value: bytes) -> int:
    try:
        return msgspec.json.decode(value, type=Digest).due_ms
    except msgspec.MsgspecError:
        return 0
