"""Signed links: what a mail's links say, and that it was us who said it.

A token is readable (it holds ids, no secrets) and cannot be made or changed without the key. Its kind is signed with
it, so that a link to a job never works as one that unsubscribes. Links do not expire: people unsubscribe by old mails.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

Kind = Literal["click", "open", "preferences", "unsubscribe"]
PATHS: Final[dict[Kind, str]] = {"click": "c", "open": "o", "preferences": "p", "unsubscribe": "u"}
_MAC_BYTES: Final = 16
MAX_TOKEN_CHARS: Final = 1_200


class Link(Struct, array_like=True, frozen=True):
    """Where a link leads, for whom, and from which mail."""

    kind: Kind
    user_id: str
    send_id: str
    item_id: str | None = None


class Links:
    """Signs and reads links. `base_url` is where the pages answer, without a slash at its end."""

    def __init__(self, key: str, base_url: str) -> None:
        if len(key) < 16:
            raise ValueError(f"link_key: at least 16 characters, not {len(key)}")
        self._key = hashlib.blake2b(key.encode(), person=b"attune links").digest()
        self.base_url = base_url.rstrip("/")

    def url(self, link: Link) -> str:
        """The whole address."""
        suffix = ".gif" if link.kind == "open" else ""
        return f"{self.base_url}/{PATHS[link.kind]}/{self.token(link)}{suffix}"

    def token(self, link: Link) -> str:
        """The signed part of the address.

        >>> links = Links("k" * 16, "https://mail.example")
        >>> links.read("click", links.token(Link("click", "u1", "d1", "i1"))).item_id
        'i1'
        >>> links.read("unsubscribe", links.token(Link("click", "u1", "d1", "i1"))) is None
        True
        """
        said = msgspec.msgpack.encode(link)
        return base64.urlsafe_b64encode(self._mac(said) + said).decode().rstrip("=")

    def read(self, kind: Kind, token: str) -> Link | None:
        """What a token of this kind says, or None where it was not us who said it."""
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            return None
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        mac, said = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        link = msgspec.msgpack.decode(said, type=Link)
        return link if link.kind == kind else None

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, "sha256")[:_MAC_BYTES]


def kept_key(state_dir: str) -> str:
    """The key of a mailer that was given none: made once, kept where only this account reads it."""
    path = Path(state_dir) / "link.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()
