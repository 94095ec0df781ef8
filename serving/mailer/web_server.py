"""An ASGI application on a port of its own, in a thread."""

import socket
import threading

import uvicorn
from litestar import Litestar

from serving.mailer.errors import MailerError

START_S = 15.0


class WebServer:
    """Serves `app` on `host`; port 0 takes a free one, see `port`."""

    def __init__(self, app: Litestar, host: str, port: int) -> None:
        self.host = host
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            raise MailerError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        self._server = _Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="mailer-web", daemon=True)

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer. Raises MailerError where the pages do not start."""
        self._thread.start()
        if not self._server.up.wait(START_S):
            raise MailerError("the mailer's pages do not start")

    def close(self) -> None:
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(START_S)
        self._socket.close()


class _Server(uvicorn.Server):
    """Says when it answers, and leaves signals to the program it runs in."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.up.set()
