"""The roles that a child process can play, and the command that starts one.

Each role is a program of its own in `streams/roles/`, so that a process imports only what it needs.
`python -m streams.role NAME` becomes the role's process.
"""

import os
import sys
from typing import Final

ROLES: Final = ("behaviour", "learner", "sink")
USAGE_EXIT: Final = 2
EMBEDDED: Final = "ATTUNE_TEST_EMBEDDED"
"""Set where the broker is the embedded one, which makes its topics itself."""


def command(role: str) -> list[str]:
    """The command line of a role's process.

    >>> command("sink")[1:]
    ['-m', 'streams.roles.sink']
    """
    return [sys.executable, "-m", f"streams.roles.{role}"]


def main(arguments: list[str]) -> int:
    """Become the process of the role that the one argument names; returns only where there is no such role."""
    role = arguments[0] if len(arguments) == 1 else ""
    if role not in ROLES:
        sys.stderr.write(f"attune: no role '{role}' (roles: {', '.join(ROLES)})\n")
        return USAGE_EXIT
    return os.execv(sys.executable, command(role))  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
