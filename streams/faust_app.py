"""The Faust side of a worker: an app that consumes and commits, and nothing else.

What is private in Faust and needed is reached here, and in streams/prompt_consumer.py, alone.
"""

import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import faust

from streams.failstop import stop_process
from streams.prompt_consumer import PromptConsumer
from streams.settings import Settings

NEVER_S: Final = 1e9
"""A member that has not polled for so long leaves the group: a spare one polls nothing for as long as it is one."""
LOST_GENERATION: Final = -1
"""aiokafka's generation while the group does not know the member."""


def make_app(settings: Settings, group: str, partitions: int) -> faust.App:
    """An app with the settings that were found to lose nothing (docs/decisions/0003)."""
    for name in ("aiokafka", "faust", "mode"):
        logging.getLogger(name).setLevel(logging.ERROR)
    credentials = _credentials(settings)
    app = faust.App(
        group,
        broker=f"kafka://{settings.bootstrap.replace(',', ';kafka://')}",
        broker_credentials=credentials,
        store="memory://",
        datadir=Path(settings.state_dir) / f"{group}-data",
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        table_standby_replicas=1,  # with 0 Faust hands partitions out one by one, not those of one number together
        web_enabled=False,
        stream_wait_empty=False,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=settings.session_s,
        broker_max_poll_interval=NEVER_S,
        broker_heartbeat_interval=settings.session_s / 5,
        broker_request_timeout=max(30.0, settings.session_s),
        producer_request_timeout=30.0,
        broker_commit_interval=3_600.0,
        stream_recovery_delay=0.0,
    )
    app.transport.Consumer = PromptConsumer  # type: ignore[misc]  # of this app's transport alone
    return app


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


async def messages(app: faust.App, stream: Any) -> AsyncIterator[Any]:
    """The messages of an agent's stream: those that Faust's own iteration would give, and no acknowledgement of any.

    That iteration makes a pass of the event loop for each, and keeps a current event, which nothing here reads.
    """
    await stream.maybe_start()
    async for event in stream.channel:
        message = event.message
        if message.generation_id == app.consumer_generation_id and app.flow_control.is_active():
            yield message


def silence_monitor(app: faust.App) -> None:
    """Take Faust's per-event statistics out: nothing here reads them, and they cost as much as a step."""
    if app.monitor in set(app.sensors):
        app.sensors.remove(app.monitor)


class Membership:
    """Commits, and what the group thinks of this member."""

    def __init__(self, app: faust.App) -> None:
        self.app = app

    @property
    def generation(self) -> int:
        return int(getattr(self.app, "consumer_generation_id", 0))

    @property
    def lost(self) -> bool:
        """Whether the group has thrown this member out, so that its partitions may belong to another already."""
        consumer = getattr(getattr(self.app.consumer, "_thread", None), "_consumer", None)
        coordinator = getattr(consumer, "_coordinator", None)
        if coordinator is None or not hasattr(coordinator, "generation"):
            stop_process("this release of Faust hides the group's generation; Attune needs the pinned one")
        return int(coordinator.generation) == LOST_GENERATION

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
