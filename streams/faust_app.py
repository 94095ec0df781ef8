"""The Faust side of a worker: an app that consumes, recovers tables and commits, and nothing else.

What is private in Faust and needed here is reached in this file alone, and checked when the app is made.
"""

import logging
import ssl
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import faust
from faust.types import TP

from streams.failstop import stop_process
from streams.settings import Settings

LOST_GENERATION: Final = -1
"""aiokafka's generation while the group does not know the member."""


def make_app(settings: Settings, group: str, partitions: int, table_class: type[Any]) -> faust.App:
    """An app with the settings that were found to lose nothing (docs/decisions/0003)."""
    for name in ("aiokafka", "faust", "mode"):
        logging.getLogger(name).setLevel(logging.ERROR)
    credentials = _credentials(settings)
    return faust.App(
        group,
        broker=f"kafka://{settings.bootstrap.replace(',', ';kafka://')}",
        broker_credentials=credentials,
        store="memory://",
        datadir=Path(settings.state_dir) / f"{group}-data",
        Table=table_class,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        stream_wait_empty=False,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=settings.session_s,
        broker_heartbeat_interval=settings.session_s / 5,
        broker_request_timeout=max(30.0, settings.session_s),
        producer_request_timeout=30.0,
        broker_commit_interval=3_600.0,
        stream_recovery_delay=0.0,
    )


def _credentials(settings: Settings) -> Any:
    """The security settings, named as librdkafka names them, as Faust's credentials."""
    protocol = settings.kafka.get("security.protocol", "PLAINTEXT").upper()
    if protocol == "PLAINTEXT":
        return None
    context = None
    if "SSL" in protocol:
        context = ssl.create_default_context(cafile=settings.kafka.get("ssl.ca.location"))
        if certificate := settings.kafka.get("ssl.certificate.location"):
            context.load_cert_chain(certificate, settings.kafka.get("ssl.key.location"))
    if "SASL" not in protocol:
        return faust.SSLCredentials(context=context)
    return faust.SASLCredentials(
        username=settings.kafka.get("sasl.username", ""),
        password=settings.kafka.get("sasl.password", ""),
        mechanism=settings.kafka.get("sasl.mechanism", settings.kafka.get("sasl.mechanisms", "PLAIN")),
        ssl_context=context,
    )


def stopping(consume: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """An agent that ends its process where it raises. Faust would start it anew, silently, after the record at hand."""

    async def consumed(stream: Any) -> None:
        try:
            await consume(stream)
        except Exception as error:  # noqa: BLE001 - whatever it is
            stop_process(f"an agent failed: {error!r}\n{traceback.format_exc()}")

    return consumed


def silence_monitor(app: faust.App) -> None:
    """Take Faust's per-event statistics out: nothing here reads them, and they cost as much as a step."""
    if app.monitor in set(app.sensors):
        app.sensors.remove(app.monitor)


class Membership:
    """Commits, and what the group thinks of this member."""

    def __init__(self, app: faust.App) -> None:
        self.app = app
        assert (
            self._recovery.loop
        )  # made here: a thread that asked first would give it a loop of its own, that never runs

    @property
    def generation(self) -> int:
        return int(getattr(self.app, "consumer_generation_id", 0))

    @property
    def recovered(self) -> bool:
        """Whether every table of the current assignment has been read to its end, and no rebalance is going on."""
        return not self.app.rebalancing and bool(self._recovery.completed.is_set())

    @property
    def _recovery(self) -> Any:
        tables: Any = self.app.tables
        return tables.recovery

    @property
    def recovery_remaining(self) -> int:
        """Changelog records that the current recovery has still to read."""
        if self.recovered:
            return 0
        reached, ends = self._recovery.active_offsets, list(self._recovery.active_highwaters.items())
        return sum(max(end - max(reached.get(tp, -1), -1), 0) for tp, end in ends if end >= 0)

    @property
    def lost(self) -> bool:
        """Whether the group has thrown this member out, so that its partitions may belong to another already."""
        consumer = getattr(getattr(self.app.consumer, "_thread", None), "_consumer", None)
        coordinator = getattr(consumer, "_coordinator", None)
        if coordinator is None or not hasattr(coordinator, "generation"):
            stop_process("this release of Faust hides the group's generation; Attune needs the pinned one")
        return int(coordinator.generation) == LOST_GENERATION

    def owns(self, topic: str, partition: int) -> bool:
        return TP(topic, partition) in self.app.consumer.assignment()

    async def commit(self, offsets: Mapping[Any, int]) -> bool:
        """Commit the offsets of owned partitions; False where the group has moved on."""
        assignment = self.app.consumer.assignment()
        owned = {tp: offset for tp, offset in offsets.items() if tp in assignment}
        if not owned:
            return True
        commit = getattr(self.app.consumer, "_commit", None)
        if commit is None:
            stop_process("this release of Faust hides its commit; Attune needs the pinned one")
        return bool(await commit(owned))

    def advance_recovery(self, topic: str, partition: int, expected: int, following: int) -> bool:
        """Tell recovery that everything of a changelog partition below `following` is in the table already, so that a
        rebalance does not read it again. Only where nobody else wrote since: False where `expected` was not the next.
        """
        active = self._recovery.active_offsets
        tp = TP(topic, partition)
        if tp in active and active[tp] + 1 == expected:
            active[tp] = following - 1
            return True
        return tp not in active
