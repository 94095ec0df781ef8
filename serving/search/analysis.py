"""Text to terms, in one language: lower case without accents, stop words out, stems (Porter 2 for English).

`C++`, `C#` and `.NET` are words of their own. The exact form of a word is kept beside its stem, for phrases, typing
errors and words such as `IT` that are stop words elsewhere.
"""

import re
from functools import lru_cache
from typing import Final

from tantivy import Filter, Index, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

STEMMED: Final = "stemmed"
EXACT: Final = "exact"
"""Names of the two analysers in an index."""
LANGUAGES: Final = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
}
"""By the language of a locale."""
LONGEST: Final = 40
_PATTERN: Final = r"[\p{L}\p{N}\p{M}]+[+#]*"


class Analysis:
    """The analysers of one locale (`en`, `en-US`, `de_AT` …).

    Raises:
        ValueError: no analyser is known for the locale's language.
    """

    def __init__(self, locale: str = "en") -> None:
        language = LANGUAGES.get(re.split(r"[-_]", locale)[0].lower())
        if language is None:
            raise ValueError(f"search locale must be one of {', '.join(LANGUAGES)} (and a region), not {locale!r}")
        self._exact: TextAnalyzer = _plain().build()
        self._stemmed: TextAnalyzer = (
            _plain().filter(Filter.stopword(language)).filter(Filter.stemmer(language)).build()
        )
        self.stem = lru_cache(maxsize=65_536)(self._stem)
        """The stem of one exact word, empty where it is a stop word."""

    def register(self, index: Index) -> None:
        """Give an index both analysers."""
        index.register_tokenizer(EXACT, self._exact)
        index.register_tokenizer(STEMMED, self._stemmed)

    def words(self, text: str) -> list[str]:
        """The exact words of a text, in order, with repeats.

        >>> Analysis().words("Sr. C++ Développeur (IT)")
        ['sr', 'c++', 'developpeur', 'it']
        """
        words: list[str] = self._exact.analyze(text)
        return words

    def _stem(self, word: str) -> str:
        stems: list[str] = self._stemmed.analyze(word)
        return stems[0] if stems else ""


def _plain() -> TextAnalyzerBuilder:
    """A new builder each time: tantivy's are used up by what is added to them."""
    return (
        TextAnalyzerBuilder(Tokenizer.regex(_PATTERN))
        .filter(Filter.remove_long(LONGEST))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
    )
