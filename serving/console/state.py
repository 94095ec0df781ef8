"""What every handler has at hand: the feeds, the lookups, who may do what."""

import asyncio
import contextvars
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from litestar import Request
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from msgspec import Struct

from serving.console.audit import Audit
from serving.console.lag_feed import LagFeed
from serving.console.lookups import Lookups, UnavailableError
from serving.console.owners import Owners
from serving.console.sessions import COOKIE, Session, Sessions, is_genuine
from serving.console.workers import Workers

ANSWER_S: Final = 8.0
"""The longest that a page waits for Kafka or Redis before it says that they do not answer."""
THREADS: Final = 8

Answer = TypeVar("Answer")


class Console(Struct, frozen=True):
    """The parts, made by the composition root."""

    lag: LagFeed
    workers: Workers
    owners: Owners
    lookups: Lookups
    sessions: Sessions
    audit: Audit
    bootstrap: str
    pool: ThreadPoolExecutor
    clock: Callable[[], float] = time.time

    async def ask(self, question: Callable[..., Answer], *arguments: Any) -> Answer:
        """Ask something that may block, without the page ever hanging. Raises UnavailableError."""
        call = functools.partial(contextvars.copy_context().run, question, *arguments)
        waiting = asyncio.get_running_loop().run_in_executor(self.pool, call)
        try:
            return await asyncio.wait_for(waiting, ANSWER_S)
        except TimeoutError:
            raise UnavailableError(
                f"no answer within {ANSWER_S:.0f} s; Kafka at {self.bootstrap} may be away"
            ) from None


def console_of(request: Request[Any, Any, Any]) -> Console:
    """The parts of the application that a request came to."""
    found: Console = request.app.state.console
    return found


def address_of(request: Request[Any, Any, Any]) -> str:
    """Who asks, for the audit log and for counting wrong passwords."""
    return request.client.host if request.client else "?"


def session_of(request: Request[Any, Any, Any]) -> Session:
    """Who is logged in. Raises NotAuthorizedException."""
    found = console_of(request).sessions.find(request.cookies.get(COOKIE), request.headers.get("authorization"))
    if found is None:
        raise NotAuthorizedException("log in first")
    return found


async def actor_of(request: Request[Any, Any, Any], action: str, subject: str, csrf: str | None) -> Session:
    """Who acts, where they may: an operator, with a form of ours. What is refused is written down, too."""
    session, console = session_of(request), console_of(request)
    if not session.may_act:
        why = "only an operator may do that"
    elif not is_genuine(session, csrf):
        why = "the form did not come from this console; open the page again"
    else:
        return session
    await console.ask(console.audit.write, session.role, address_of(request), action, subject, f"refused: {why}")
    raise PermissionDeniedException(why)
