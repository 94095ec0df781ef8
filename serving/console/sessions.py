"""Who is at the console: a secret a role, for the login form and as a bearer token; sessions live in memory."""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct

Role = Literal["viewer", "operator"]

COOKIE: Final = "attune_console"
SESSION_S: Final = 12 * 3_600.0
MAX_SESSIONS: Final = 1_000
WRONG_S: Final = 60.0
MAX_WRONG: Final = 5
"""Wrong passwords of one address in a minute; after that it waits."""


class Session(Struct, frozen=True):
    """Someone who is logged in. `csrf` goes with every form; a bearer token needs none, browsers do not send it."""

    role: Role
    csrf: str
    until_s: float
    bearer: bool = False

    @property
    def may_act(self) -> bool:
        """Whether this role may replay and erase."""
        return self.role == "operator"


class Sessions:
    """Logins and what became of them. `accounts` are role -> secret; an empty secret admits nobody."""

    def __init__(self, accounts: Mapping[Role, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = {role: secret.encode() for role, secret in accounts.items() if secret}
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._wrong: dict[str, list[float]] = {}

    def role_of(self, secret: str) -> Role | None:
        """The role whose secret this is; takes the same time whichever it is."""
        given = secret.encode()
        found: Role | None = None
        for role, expected in self._accounts.items():
            if hmac.compare_digest(given, expected):
                found = role
        return found

    def is_waiting(self, address: str) -> bool:
        """Whether an address has guessed too often."""
        recent = [at for at in self._wrong.get(address, ()) if self._clock() - at < WRONG_S]
        return len(recent) >= MAX_WRONG

    def login(self, secret: str, address: str) -> str | None:
        """A session's token, or None for a wrong password."""
        role = self.role_of(secret)
        if role is None:
            if len(self._wrong) > MAX_SESSIONS:
                self._wrong.clear()
            recent = [at for at in self._wrong.get(address, ()) if self._clock() - at < WRONG_S]
            self._wrong[address] = [*recent, self._clock()]
            return None
        while len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        token = secrets.token_urlsafe(32)
        self._sessions[token] = Session(role, secrets.token_urlsafe(32), self._clock() + SESSION_S)
        return token

    def find(self, cookie: str | None, authorization: str | None) -> Session | None:
        """Who sends a request: by cookie, or by `Authorization: Bearer`."""
        if authorization is not None:
            scheme, _, secret = authorization.partition(" ")
            role = self.role_of(secret.strip()) if scheme.lower() == "bearer" else None
            return None if role is None else Session(role, "", self._clock() + SESSION_S, bearer=True)
        session = self._sessions.get(cookie or "")
        if session is None or session.until_s < self._clock():
            self._sessions.pop(cookie or "", None)
            return None
        return session

    def logout(self, cookie: str | None) -> None:
        """Forget a session."""
        self._sessions.pop(cookie or "", None)


def is_genuine(session: Session, csrf: str | None) -> bool:
    """Whether a form comes from our own page."""
    return session.bearer or hmac.compare_digest((csrf or "").encode(), session.csrf.encode())
