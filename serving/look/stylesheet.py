"""The stylesheet as bytes, and the colours in it for what cannot use a stylesheet: mails, charts, a browser's own bars.

>>> colours()["accent"]
('#0b6a5f', '#63d2bf')
"""

import re
from functools import cache
from importlib import resources
from typing import Final

NAME: Final = "attune.css"
_COLOUR: Final = re.compile(r"--(?P<name>[a-z-]+):\s*light-dark\((?P<light>#[0-9a-f]{6}),\s*(?P<dark>#[0-9a-f]{6})\)")


@cache
def stylesheet() -> bytes:
    """The stylesheet, UTF-8: to be served as `text/css`, and cached by whoever asks."""
    return resources.files("serving.look").joinpath(NAME).read_bytes()


@cache
def colours() -> dict[str, tuple[str, str]]:
    """Name of a colour -> its value on light and on dark, `#rrggbb`."""
    return {found["name"]: (found["light"], found["dark"]) for found in _COLOUR.finditer(stylesheet().decode())}
