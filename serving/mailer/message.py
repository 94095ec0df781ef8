"""A letter as a message on the wire: headers that mail programs and their filters look for."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import quote

from serving.mailer.last_check import Fit
from serving.mailer.letter import Letter

UNFOLDED: Final = frozenset({"list-unsubscribe", "message-id", "list-id"})
"""Headers whose long words must stay whole: the library would encode them, and mail programs would not understand."""


class _Policy(EmailPolicy):
    """SMTP's rules, with some headers left on one line."""

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}\r\n" if name.lower() in UNFOLDED else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode() if name.lower() in UNFOLDED else super().fold_binary(name, value)


POLICY: Final = _Policy(linesep="\r\n", cte_type="7bit", utf8=False, max_line_length=SMTP.max_line_length)


def compose(letter: Letter, fit: Fit, sender: Address, now_ms: int) -> EmailMessage:
    """The message. Its `Message-ID` is the digest's id, so that a mail sent twice would be seen to be one."""
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = fit.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["Message-ID"] = f"<{quote(fit.digest.digest_id, safe='')}@{sender.domain}>"
    message["List-Id"] = f"<{fit.digest.campaign}.{sender.domain}>"
    message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message
