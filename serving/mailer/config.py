"""What the mailer is told: its own part of the settings, because this room does not know the others."""

from collections.abc import Mapping
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Literal

from msgspec import Struct

from serving.mailer.errors import MailerError


class MailerConfig(Struct, frozen=True, kw_only=True):
    """How to reach Kafka and the mail server, and who writes.

    `link_key` signs the links of mails and must be the same for every mailer of a deployment; `public_url` is where the
    world reaches this mailer's pages; `outbox` is a directory that takes the mails instead of `smtp`.
    """

    bootstrap: str
    link_key: str
    state_dir: str
    kafka: Mapping[str, str] = {}
    smtp: str = ""
    outbox: str | None = None
    sender: str = "Attune <attune@localhost>"
    public_url: str = ""
    domain: Literal["jobs", "shop"] = "jobs"
    images: bool = False
    mails_per_s: float = 20.0
    clock: Literal["wall", "log"] = "wall"
    first_retry_s: float = 1.0
    """After a mail server was away or refused for now; doubles to 30 s (away), to an hour (one mail refused)."""

    @property
    def address(self) -> Address:
        """The sender. Raises MailerError where it is no address."""
        name, spec = parseaddr(self.sender)
        try:
            return Address(display_name=name, addr_spec=spec)
        except (ValueError, IndexError):
            raise MailerError(f"mail_from: {self.sender!r} is no address like 'Jobs <jobs@example.org>'") from None

    @property
    def sender_name(self) -> str:
        """What readers see."""
        return self.address.display_name or self.address.domain
