"""Where mails are put: a mail server, or a directory.

What a try came to:

    Sent        the server took it
    Deferred    the server certainly did not take it, and may later
    Refused     the server will never take it (`bounce`: the address does not exist)
    Ambiguous   the connection ended while the server may have been taking it: nobody knows, so nobody tries again
"""

import re
import smtplib
import ssl
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from serving.mailer.errors import MailerError

TIMEOUT_S: Final = 30.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_SUCH: Final = re.compile(rb"\b5\.1\.[1236]\b|no such user|user unknown|unknown user", re.IGNORECASE)


class AwayError(Exception):
    """The mail server cannot be reached, or does not let us in; the message says why."""


class Sent(Struct, frozen=True):
    """The server took it."""


class Deferred(Struct, frozen=True):
    """Not taken, for now."""

    why: str


class Refused(Struct, frozen=True):
    """Never to be taken."""

    why: str
    bounce: bool = False


class Ambiguous(Struct, frozen=True):
    """Perhaps taken."""

    why: str


Outcome = Sent | Deferred | Refused | Ambiguous


class Postbox(Protocol):
    """Something that takes mails. `ready` raises AwayError; after it, one `put`."""

    def ready(self) -> None:
        """Be sure that there is a connection."""

    def put(self, message: EmailMessage, name: str) -> Outcome:
        """Hand over one mail; `name` is its digest's id."""

    def forget(self, names: Iterable[str]) -> None:
        """Someone was erased: whatever lies here of these mails goes."""

    def close(self) -> None:
        """End the connection."""


class Outbox:
    """A directory of .eml files, each complete when it is there."""

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)

    def ready(self) -> None:
        """A directory is always ready."""

    def put(self, message: EmailMessage, name: str) -> Outcome:
        """Write one file, under its last name when it is whole."""
        target = self._file(name)
        partial = target.with_suffix(".partial")
        partial.write_bytes(message.as_bytes())
        partial.replace(target)
        return Sent()

    def forget(self, names: Iterable[str]) -> None:
        """Remove the files of these mails."""
        for name in names:
            self._file(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is open."""

    def _file(self, name: str) -> Path:
        return self.directory / f"{quote(name, safe='')[:200]}.eml"


class MailServer:
    """One connection, kept as long as it lasts.

    `smtps://` speaks TLS from the start, `smtp+starttls://` before anything else, `smtp://` not at all and is therefore
    for servers on this machine, or without a login. A name and password in the URL are percent-encoded.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        shown = f"{parts.scheme}://{parts.hostname or ''}"
        if parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname:
            raise MailerError(f"smtp: smtps://, smtp+starttls:// or smtp:// and a host are wanted, not {shown}")
        if parts.scheme == "smtp" and parts.username and parts.hostname not in _LOCAL:
            raise MailerError(f"smtp: {shown} would send the password in the clear; use smtps:// or smtp+starttls://")
        self.scheme, self.host = parts.scheme, parts.hostname
        self.port = parts.port or {"smtp": 25, "smtps": 465, "smtp+starttls": 587}[parts.scheme]
        self._name, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout_s = timeout_s
        self._server: smtplib.SMTP | None = None

    def ready(self) -> None:
        """Connect where there is no connection that still answers."""
        if self._server is not None:
            try:
                if self._server.noop()[0] == 250:
                    return
            except (smtplib.SMTPException, OSError):
                pass
            self.close()
        try:
            self._server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise AwayError(f"{self.host}:{self.port}: {_said(error)}") from None

    def put(self, message: EmailMessage, name: str) -> Outcome:
        """Hand over one mail."""
        server = self._server
        if server is None:
            return Deferred("not connected")
        try:
            code, answer = server.mail(message["From"].addresses[0].addr_spec)
            if code == 250:
                code, answer = server.rcpt(message["To"].addresses[0].addr_spec)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Deferred(_said(error))
        if code not in {250, 251}:
            self._again(server)
            return _refusal(code, answer)
        try:
            code, answer = server.data(message.as_bytes())
        except smtplib.SMTPDataError as error:
            self._again(server)
            raw = error.smtp_error
            return _refusal(error.smtp_code, raw if isinstance(raw, bytes) else raw.encode())
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Ambiguous(f"the connection ended while the mail was handed over: {_said(error)}")
        return Sent() if code == 250 else _refusal(code, answer)

    def forget(self, names: Iterable[str]) -> None:
        """What went out is the reader's own."""

    def close(self) -> None:
        """End the connection."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _connect(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self._timeout_s, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self._timeout_s)
        try:
            if self.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._name:
                server.login(self._name, self._password)
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _again(self, server: smtplib.SMTP) -> None:
        """Make the connection fit for the next mail."""
        try:
            server.rset()
        except (smtplib.SMTPException, OSError):
            self.close()


def _refusal(code: int, answer: bytes) -> Deferred | Refused:
    why = f"{code} {answer.decode(errors='replace')}"
    if 400 <= code < 500:
        return Deferred(why)
    return Refused(why, bounce=code in {550, 551, 553} and _NO_SUCH.search(answer) is not None)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        return f"{error.smtp_code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"
    return str(error) or type(error).__name__
