"""What every role's process does first: read the settings, look at the broker, be ready to be stopped."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

from streams.admin import BrokerError, partitions_found, require_topics
from streams.role import EMBEDDED, USAGE_EXIT
from streams.settings import Settings, SettingsError, read_settings

FAILED_EXIT: Final = 1


def start(role: Callable[[Settings], int]) -> int:
    """Run a role until it is told to stop. Returns the exit code; a bad setting or broker is refused in one line."""
    try:
        settings = read_settings()
        if os.environ.get(EMBEDDED):
            partitions_found(settings)
        else:
            require_topics(settings)
    except SettingsError as error:
        return _refuse(str(error), USAGE_EXIT)
    except BrokerError as error:
        return _refuse(str(error), FAILED_EXIT)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))  # until the role installs its own: nothing is begun yet
    asyncio.set_event_loop(asyncio.new_event_loop())  # before a Faust app is made: its services keep the loop they see
    return role(settings)


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(f"attune: {why}\n")
    return code
