"""The words of a query as the index looks for them: typing errors mended, synonyms beside, phrases kept together."""

from itertools import pairwise
from typing import Final

from msgspec import Struct
from tantivy import Occur, Query, Schema, Searcher

from serving.search.analysis import Analysis
from serving.search.fields import FieldWeights
from serving.search.spelling import Vocabulary
from serving.search.synonyms import MOST_WORDS, Phrase, Synonyms

MOST_TERMS: Final = 24
"""Of one query; the rest is not looked for."""
PREFIX_CHARS: Final = 2
MOST_ENDINGS: Final = 8
ENDING: Final = 0.6
"""What a word counts that goes on where the last word of the query stops."""
MENDED: Final = (1.0, 0.8, 0.5)
"""What a word counts that is so many errors away."""
SECOND_CHOICE: Final = 0.7
"""What the next nearest word counts beside the nearest, and so on."""
RARE: Final = 30.0
"""A word of so many times fewer items than one that is an error away may be that one."""
RARELY: Final = 0.4
SYNONYM: Final = 0.8
TOGETHER: Final = 0.5
"""What two neighbours of the query count that are neighbours in a title, beside the two apart."""
TIE_BREAK: Final = 0.3
"""What a word's other fields count beside the field where it counts most."""


class Spelled(Struct, frozen=True):
    """A word to look for, in its exact form and as a stem (empty for stop words), and what it counts."""

    exact: str
    stem: str
    counts: float


class Term(Struct, frozen=True):
    """One place of the query: what was typed and all that will do for it. `phrases` are synonyms of several words."""

    typed: str
    spellings: tuple[Spelled, ...]
    phrases: tuple[Phrase, ...] = ()
    is_stop_word: bool = False
    is_mended: bool = False


class Wording(Struct, frozen=True):
    """All terms of a query in order, and the phrases that must stand as they are."""

    terms: tuple[Term, ...]
    quoted: tuple[tuple[tuple[int, str], ...], ...] = ()

    @property
    def needed(self) -> list[Term]:
        """The terms that tell anything: without stop words, unless there is nothing else."""
        return [term for term in self.terms if not term.is_stop_word] or list(self.terms)


def wording(
    text: str,
    quoted: tuple[str, ...],
    searcher: Searcher,
    analysis: Analysis,
    vocabulary: Vocabulary,
    synonyms: Synonyms,
) -> Wording:
    """What to look for. `text` are the free words of a query, in order, the last maybe unfinished."""
    words = analysis.words(text)[:MOST_TERMS]
    terms: list[Term] = []
    for place, word in enumerate(words):
        stem = analysis.stem(word)
        spellings, is_mended = _spellings(word, stem, place == len(words) - 1, searcher, analysis, vocabulary)
        single: list[Spelled] = []
        phrases: list[Phrase] = []
        for length in range(1, MOST_WORDS + 1):
            for start in range(max(place - length + 1, 0), min(place, len(words) - length) + 1):
                for other in synonyms.of(tuple(words[start : start + length])):
                    if len(other) == 1:
                        single.append(Spelled(other[0], analysis.stem(other[0]), SYNONYM))
                    else:
                        phrases.append(other)
        terms.append(Term(word, tuple(spellings + single), tuple(phrases), not stem, is_mended))
    return Wording(tuple(terms), tuple([_quoted(phrase, analysis) for phrase in quoted]))


def matching(
    words: Wording, schema: Schema, weights: FieldWeights, analysis: Analysis, missing: int = 0
) -> Query | None:
    """The query for a wording of which all needed terms but `missing` must be there; None where it has no term."""
    needed = words.needed
    each = [(Occur.Should, _term(term, schema, weights, analysis)) for term in needed]
    quoted = [
        (
            Occur.Must,
            _any(
                [
                    Query.phrase_query(schema, field, list(phrase))
                    if len(phrase) > 1
                    else Query.term_query(schema, field, phrase[0][1])
                    for field in ("title", "labels", "text")
                ]
            ),
        )
        for phrase in words.quoted
        if phrase
    ]
    if not each and not quoted:
        return None
    parts = list(quoted)
    if each:
        parts.append((Occur.Must, Query.boolean_query(each, max(len(each) - missing, 1))))
    parts += [
        (Occur.Should, Query.boost_query(Query.phrase_query(schema, "exact", [one, other]), TOGETHER))
        for one, other in _neighbours(words)
    ]
    parts += [
        (Occur.Should, Query.boost_query(Query.term_query(schema, "exact", term.typed), TOGETHER))
        for term in words.terms
        if term.is_stop_word and term not in needed
    ]
    return Query.boolean_query(parts)


def _spellings(
    word: str, stem: str, is_last: bool, searcher: Searcher, analysis: Analysis, vocabulary: Vocabulary
) -> tuple[list[Spelled], bool]:
    """What may be meant by a word, and whether that is another word than the typed one."""
    items = vocabulary.items(word)
    found = [Spelled(word, stem, 1.0)]
    stemmed = max((searcher.doc_freq(field, stem) for field in ("title", "labels", "text")), default=0) if stem else 1
    is_known = bool(items or stemmed or searcher.doc_freq("place", word))
    meant = vocabulary.meant(word) if stem else []
    if is_known:
        for other in meant:
            if other.errors == 1 and other.items > RARE * max(items, stemmed) and analysis.stem(other.word) != stem:
                found.append(Spelled(other.word, analysis.stem(other.word), RARELY))
                break
        return found, False
    if is_last and len(word) >= PREFIX_CHARS:
        endings = sorted(searcher.terms_with_prefix("exact", word), key=lambda ending: (-ending[1], ending[0]))
        found += [Spelled(ending, analysis.stem(ending), ENDING) for ending, _ in endings[:MOST_ENDINGS]]
    counts = 1.0
    for other in meant:
        found.append(Spelled(other.word, analysis.stem(other.word), MENDED[other.errors] * counts))
        counts *= SECOND_CHOICE
    return found, len(found) > 1


def _term(term: Term, schema: Schema, weights: FieldWeights, analysis: Analysis) -> Query:
    made: list[Query] = []
    for spelled in term.spellings:
        counted = [("exact", spelled.exact, weights.exact), ("place", spelled.exact, weights.place)]
        if spelled.stem:
            counted += [
                ("title", spelled.stem, weights.title),
                ("labels", spelled.stem, weights.labels),
                ("text", spelled.stem, weights.text),
            ]
        made += [
            Query.boost_query(Query.term_query(schema, field, word), spelled.counts * weight)
            for field, word, weight in counted
            if weight > 0.0
        ]
    for phrase in term.phrases:
        placed = [(place, stem) for place, word in enumerate(phrase) if (stem := analysis.stem(word))]
        if len(placed) > 1:
            made += [
                Query.boost_query(Query.phrase_query(schema, field, list(placed)), SYNONYM * weight)
                for field, weight in (("title", weights.title), ("text", weights.text))
            ]
        elif placed:
            made.append(Query.boost_query(Query.term_query(schema, "title", placed[0][1]), SYNONYM * weights.title))
    return Query.disjunction_max_query(made, TIE_BREAK)


def _quoted(phrase: str, analysis: Analysis) -> tuple[tuple[int, str], ...]:
    return tuple(
        [
            (place, stem)
            for place, word in enumerate(analysis.words(phrase)[:MOST_TERMS])
            if (stem := analysis.stem(word))
        ]
    )


def _neighbours(words: Wording) -> list[tuple[str, str]]:
    """Pairs of neighbours, each with the most likely spelling."""
    likely = [
        term.spellings[1].exact if term.is_mended and len(term.spellings) > 1 else term.typed for term in words.terms
    ]
    return list(pairwise(likely))


def _any(queries: list[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in queries])
