"""A slow network between clients and a broker: a TCP proxy that holds every byte back for a while."""

import asyncio
import threading
from collections.abc import Awaitable
from typing import Self

HOST = "127.0.0.1"
CHUNK = 1 << 16


class SlowProxy:
    """Listens on `port` and forwards to `target_port`, each way `delay_s` later; order and throughput stay."""

    def __init__(self, port: int, target_port: int, delay_s: float) -> None:
        self.port = port
        self.target_port = target_port
        self.delay_s = delay_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow-proxy", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, work: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target_port)
        except OSError:
            writer.close()
            return
        ways = (self._forward(reader, far_writer), self._forward(far_reader, writer))
        self._connections |= (tasks := {self._loop.create_task(way) for way in ways})
        for task in tasks:
            task.add_done_callback(self._connections.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                self._loop.call_later(self.delay_s, self._write, writer, data)
        except OSError:
            pass
        finally:
            self._loop.call_later(self.delay_s, writer.close)

    @staticmethod
    def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)
