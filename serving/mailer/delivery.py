"""One digest's way into the post, at most once.

    last check → letter → connection → intent on disk → offset committed → handed over → outcome on disk → `sends`

Before the intent nothing has left, so everything may be done again. After it, only what the mail server certainly did
not take is tried again; where nobody knows, the mail is ambiguous and stays where it is, listed.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter

from schemas.behaviour import Send, Unsubscribe
from schemas.decisions import Digest
from serving.mailer.announcer import Announcer, fresh_id
from serving.mailer.config import MailerConfig
from serving.mailer.journal import SETTLED, Entry, Journal, State
from serving.mailer.known import Known
from serving.mailer.last_check import Dropped, last_check
from serving.mailer.letter import write
from serving.mailer.links import Links
from serving.mailer.message import compose
from serving.mailer.postbox import Ambiguous, AwayError, Deferred, Postbox, Refused, Sent

MAX_TRIES: Final = 12
LONGEST_RETRY_S: Final = 3_600.0


class Delivery:
    """Brings digests to the post.

    `wait(seconds)` lets time pass and returns whether to go on; `now_ms` is the clock in force.
    """

    def __init__(
        self,
        config: MailerConfig,
        known: Known,
        journal: Journal,
        postbox: Postbox,
        announcer: Announcer,
        links: Links,
        now_ms: Callable[[], int],
        wait: Callable[[float], bool],
        registry: CollectorRegistry,
    ) -> None:
        self.config, self.known, self.journal, self.postbox = config, known, journal, postbox
        self.announcer, self.links, self.now_ms, self._wait = announcer, links, now_ms, wait
        self._sender, self._sender_name = config.address, config.sender_name
        self._next_s = 0.0
        self._log = structlog.get_logger("attune.mailer")
        self.outcomes = Counter("attune_mails", "Mails by what became of them", ["outcome"], registry=registry)

    def recover(self) -> None:
        """What an earlier life of this mailer left: open intents become ambiguous, unsaid sends are said."""
        if found := self.journal.open_intents(self.now_ms()):
            self._log.warning("mails that may or may not have gone out; see `attune mailer ambiguous`", mails=found)
        for entry in self.journal.unannounced():
            self._say_again(entry)

    def take(self, raw: bytes, commit: Callable[[], bool]) -> bool:
        """A digest from Kafka. `commit` makes its offset durable, or says that it could not.

        Returns whether the digest is done with; if not, it went nowhere and is to be taken again.
        """
        try:
            digest = msgspec.json.decode(raw, type=Digest)
        except msgspec.MsgspecError as error:
            self._log.error("a digest cannot be read", error=str(error))
            self.outcomes.labels("invalid").inc()
            return True
        if self.journal.find(digest.digest_id) is not None or self.known.was_sent(digest.digest_id):
            self.outcomes.labels("duplicate").inc()
            return True
        return self._deliver(digest, raw, 0, commit)

    def retry(self) -> None:
        """Try again what is due, and say what was settled by hand."""
        for entry in self.journal.unannounced(SETTLED):
            self._say_again(entry)
        for entry in self.journal.queued(int(time.time() * 1000)):
            if entry.digest is None or not self._deliver(
                msgspec.json.decode(entry.digest, type=Digest), entry.digest, entry.tries, lambda: True
            ):
                return

    def _deliver(self, digest: Digest, raw: bytes, tries: int, commit: Callable[[], bool]) -> bool:
        """Bring one digest as far as it goes; False where it went nowhere."""
        self._pace()
        away_s = self.config.first_retry_s
        while True:  # what is known is looked at again after every wait
            fit = last_check(digest, self.known, self.now_ms())
            if isinstance(fit, Dropped):
                self._close(digest, "dropped", fit.reason, tries)
                return True
            try:
                self.postbox.ready()
                break
            except AwayError as error:
                self._log.warning("the mail server is away", error=str(error), again_in_s=away_s)
                if not self._wait(away_s):
                    return False
                away_s = min(away_s * 2, 30.0)
        letter = write(fit, self.links, self._sender_name, self.now_ms(), self.config.images)
        message = compose(letter, fit, self._sender, self.now_ms())
        self.journal.write(self._entry(digest, "intent", "", tries + 1, raw))
        if not commit():
            self.journal.withdraw(digest.digest_id)
            self.outcomes.labels("passed_on").inc()
            return False
        outcome = self.postbox.put(message, digest.digest_id)
        match outcome:
            case Sent():
                entry = self._entry(digest, "sent", "", tries + 1, raw)
                self.journal.write(entry)
                self.outcomes.labels("sent").inc()
                self._announce(digest, entry, tuple(listed.item_id for listed, _ in fit.items))
            case Deferred(why=why) if tries + 1 < MAX_TRIES:
                pause_s = min(self.config.first_retry_s * 2**tries, LONGEST_RETRY_S)
                due_ms = int((time.time() + pause_s) * 1000)
                self.journal.write(self._entry(digest, "queued", why, tries + 1, raw, due_ms))
                self.outcomes.labels("deferred").inc()
            case Deferred(why=why):
                self._close(digest, "refused", f"given up after {MAX_TRIES} tries: {why}", tries + 1)
            case Refused(why=why, bounce=bounce):
                self._close(digest, "refused", why, tries + 1)
                if bounce:
                    self._bounced(digest)
            case Ambiguous(why=why):
                self.journal.write(self._entry(digest, "ambiguous", why, tries + 1, raw))
                self.outcomes.labels("ambiguous").inc()
        return True

    def _say_again(self, entry: Entry) -> None:
        if entry.digest is not None:
            self._announce(msgspec.json.decode(entry.digest, type=Digest), entry)
        if entry.why == SETTLED:
            self.journal.write(msgspec.structs.replace(entry, why=""))

    def _pace(self) -> None:
        """Wait until the rate allows another mail."""
        pause_s = self._next_s - time.monotonic()
        if pause_s > 0.0:
            self._wait(pause_s)
        self._next_s = max(self._next_s, time.monotonic()) + 1.0 / self.config.mails_per_s

    def _close(self, digest: Digest, state: State, why: str, tries: int) -> None:
        self.journal.write(self._entry(digest, state, why, tries, None))
        self.outcomes.labels(state).inc()
        self._log.info("no mail", outcome=state, why=why, campaign=digest.campaign)

    def _entry(self, digest: Digest, state: State, why: str, tries: int, raw: bytes | None, due_ms: int = 0) -> Entry:
        return Entry(
            digest_id=digest.digest_id,
            user_id=digest.user_id,
            campaign=digest.campaign,
            state=state,
            at_ms=self.now_ms(),
            tries=tries,
            due_ms=due_ms,
            why=why,
            announced=False,
            digest=raw,
        )

    def _announce(self, digest: Digest, entry: Entry, item_ids: tuple[str, ...] | None = None) -> None:
        """Say that the mail went out; its event's id is the digest's, so that saying it twice is saying it once."""
        ids = tuple(item.item_id for item in digest.items) if item_ids is None else item_ids
        event = Send(
            event_id=digest.digest_id,
            user_id=digest.user_id,
            ts_ms=entry.at_ms,
            send_id=digest.digest_id,
            digest_id=digest.digest_id,
            item_ids=ids,
            campaign=digest.campaign,
        )
        self.announcer.tell("sends", event, lambda: self.journal.announced(digest.digest_id))

    def _bounced(self, digest: Digest) -> None:
        event = Unsubscribe(
            event_id=fresh_id("bounce"),
            user_id=digest.user_id,
            ts_ms=self.now_ms(),
            send_id=digest.digest_id,
            cause="bounce",
        )
        self.announcer.tell("unsubscribes", event)
        self.known.apply(event, "unsubscribes", event.ts_ms)
