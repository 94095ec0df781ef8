"""The demo's shop window: the API of one market and the page before it, in a process of its own.

python -m attune.demo.window        # prints the address; settings as of any command
"""

import sys
from pathlib import Path
from typing import Final

from litestar.types import ASGIApp

from attune.api import api
from attune.cli.serve import run
from schemas.catalogue import Location
from serving.page.routes import page_routes
from streams.settings import Settings, read_settings

TOWN: Final = Location(city="Evanston", region="IL", country="US", lat=42.0451, lon=-87.6877)
"""Where visitors of the job market say they live."""


class Signs:
    """Two files in the demo's directory, by which the page asks for the other market and learns where it is."""

    def __init__(self, settings: Settings) -> None:
        self._directory = Path(settings.state_dir)
        self._domain = settings.domain

    def __call__(self, name: str) -> str | None:
        """Where a market is; asking for one that is not open yet has it opened."""
        if name == self._domain:
            return "/"
        address = self._directory / f"{name}.url"
        if address.exists():
            return address.read_text()
        (self._directory / f"{name}.wanted").touch()
        return None


def application() -> ASGIApp:
    """The API and the page."""
    settings = read_settings()
    town = TOWN if settings.domain == "jobs" else None
    return api(settings, page_routes(settings.domain, town, Signs(settings)))


if __name__ == "__main__":
    run("attune.demo.window:application", "127.0.0.1", read_settings().http_port)
    sys.exit(0)
