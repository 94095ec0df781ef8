"""One site for all tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.slate import Slate
from tests.serving.api.site import Site


@pytest.fixture(scope="module")
def site(slate: Slate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Worker, Redis and API, with a few jobs."""
    slate.wipe()
    running = Site(slate.bootstrap, Path(tmp_path_factory.mktemp("site")))
    try:
        running.stock()
        yield running
    finally:
        running.close()
        slate.wipe()
