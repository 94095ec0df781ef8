"""Words that mean the same: a file with one group a line.

    rn, registered nurse
    couch => sofa

`a, b` go both ways, `a => b` one way. `#` starts a comment. A file of one's own replaces the one that ships.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).with_name("synonyms.txt")
MOST_WORDS: Final = 3
"""Longer phrases have no synonyms."""

Phrase = tuple[str, ...]


class SynonymsError(ValueError):
    """A line that is no group; it names file and line."""


class Synonyms:
    """Phrases of 1-3 exact words, and the phrases to look for as well."""

    def __init__(self, groups: dict[Phrase, list[Phrase]]) -> None:
        self._groups = groups

    def of(self, phrase: Phrase) -> list[Phrase]:
        """What else to look for, the phrase itself left out."""
        return self._groups.get(phrase, [])


def read_synonyms(path: Path, words: Callable[[str], list[str]]) -> Synonyms:
    """Read a file. Raises OSError where there is none, SynonymsError for a line that is no group."""
    groups: dict[Phrase, list[Phrase]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        told = line.partition("#")[0].strip() if not line.lstrip().startswith("#") else ""
        if not told:
            continue
        left, arrow, right = told.partition("=>")
        meant = [_phrase(part, words, path, number) for part in (right if arrow else left).split(",")]
        for part in left.split(","):
            phrase = _phrase(part, words, path, number)
            others = groups.setdefault(phrase, [])
            others += [other for other in meant if other != phrase and other not in others]
        if not arrow and len(meant) < 2:
            raise SynonymsError(f"{path}: line {number}: a group has at least two phrases: {line!r}")
    return Synonyms(groups)


def _phrase(text: str, words: Callable[[str], list[str]], path: Path, number: int) -> Phrase:
    phrase = tuple(words(text))
    if not 1 <= len(phrase) <= MOST_WORDS:
        raise SynonymsError(f"{path}: line {number}: {text.strip()!r} is no phrase of 1 to {MOST_WORDS} words")
    return phrase
