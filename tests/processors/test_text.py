"""Which items read alike, against the definition written out in plain Python."""

from math import log2, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.text import LABEL_WEIGHT, MAX_WORDS, TextIndex
from schemas.catalogue import Item

WORDS = ("nurse", "night", "icu", "welder", "yard", "java", "cook", "truck", "shop", "lead", "senior", "remote", "part")
texts = st.lists(st.sampled_from(WORDS), max_size=6, unique=True)
items = st.tuples(texts, texts)
Steps = list[tuple[int, tuple[list[str], list[str]] | None]]
steps = st.lists(st.tuples(st.integers(1, 12), st.none() | items), min_size=1, max_size=40)


def item_of(told: tuple[list[str], list[str]]) -> Item:
    title, labels = told
    return Item(item_id="i", title=" ".join(title), categories=tuple(labels))


def index_of(done: Steps) -> tuple[TextIndex, dict[int, dict[str, float]]]:
    """The index after some puts and removals, and what each row holds: word -> whole or half."""
    index, held = TextIndex(), {}
    for row, told in done:
        if told is None:
            index.remove(row)
            held.pop(row, None)
        else:
            index.put(row, item_of(told))
            title, labels = told
            held[row] = {**dict.fromkeys(labels, LABEL_WEIGHT), **dict.fromkeys(title, 1.0)}
    return index, held


@settings(max_examples=200, deadline=None)
@given(steps)
def test_likeness_is_the_cosine_of_words_weighed_by_rarity(done: Steps) -> None:
    index, held = index_of(done)
    assert all(len(words) <= MAX_WORDS for words in held.values())
    scale = 1 << len(held).bit_length()
    spread = {word: sum(word in words for words in held.values()) for word in WORDS}
    vectors = [
        {word: log2(1.0 + scale / spread[word]) * share for word, share in held.get(row, {}).items()}
        for row in range(1, 13)
    ]
    lengths = [sqrt(sum(weight**2 for weight in vector.values())) or 1.0 for vector in vectors]
    wanted = [
        [sum(weight * other.get(word, 0.0) for word, weight in one.items()) / (length * beside)
         for other, beside in zip(vectors, lengths, strict=True)]
        for one, length in zip(vectors, lengths, strict=True)
    ]  # fmt: skip
    assert index.alike_within(np.arange(1, 13)) == pytest.approx(np.array(wanted), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(steps, steps, st.integers(1, 12))
def test_what_was_asked_before_changes_no_answer(before: Steps, after: Steps, row: int) -> None:
    asked, _ = index_of(before)
    for each in range(1, 13):
        asked.neighbours(each)
    for place, told in after:
        asked.remove(place) if told is None else asked.put(place, item_of(told))
    fresh, _ = index_of([*before, *after])
    for kept, new in zip(asked.neighbours(row), fresh.neighbours(row), strict=True):
        assert kept.tolist() == new.tolist()


def test_nothing_is_like_nothing() -> None:
    assert TextIndex().alike_within(np.array([1, 2])).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert TextIndex().alike_within(np.zeros(0, np.intp)).shape == (0, 0)
