"""A real SMTP server of the tests' own: it keeps what it took, and refuses or vanishes when told to."""

import email
import email.policy
import socket
import ssl
from collections import Counter
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailHost:
    """`smtp://` on a port that stays the same; a context manager."""

    def __init__(self, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None, port: int = 0) -> None:
        self.taken: list[EmailMessage] = []
        self.answers: dict[str, list[str]] = {}
        """Address -> what to say to it, one answer a try; then 250."""
        self.vanish_after_data = 0
        """So many mails are taken, and the connection ends before the sender hears of it."""
        self._login, self._tls = login, tls
        self.port = port or free_port()
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def ids(self) -> Counter[str]:
        """Message-ID's first half -> how often it was taken."""
        return Counter(message["Message-ID"][1:].partition("@")[0] for message in list(self.taken))

    def start(self) -> "MailHost":
        more: dict[str, Any] = {}
        if self._login:
            more = {"authenticator": self._authenticate, "auth_required": True}
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            **more,
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> "MailHost":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- what aiosmtpd asks ------------------------------------------------------------------------------

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _: Any) -> str:
        if waiting := self.answers.get(address):
            return waiting.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        if self.vanish_after_data:
            self.vanish_after_data -= 1
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        return "250 OK"

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self._login, handled=False)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
