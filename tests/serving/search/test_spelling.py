"""Mended words against a comparison with every word; synonyms files; locales."""

import random
from string import ascii_lowercase

import pytest

from serving.search.analysis import Analysis
from serving.search.spelling import LONG, MOST, SHORTEST, Vocabulary, distance
from serving.search.synonyms import SHIPPED, SynonymsError, read_synonyms
from tests.serving.search.shelf import shelf


def by_definition(one: str, other: str) -> int:
    """Optimal string alignment, the whole table."""
    table = [[max(i, j) if not min(i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def mistype(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    letter = rng.choice(ascii_lowercase)
    return rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if at else word,
        )
    )


def test_distances_are_those_of_the_definition():
    rng = random.Random(1)
    words = ["".join(rng.choices("abcd", k=rng.randint(0, 14))) for _ in range(60)]
    for one in words:
        for other in words:
            expected = by_definition(one, other)
            for most in (1, 2):
                assert distance(one, other, most) == min(expected, most + 1), (one, other)


def test_what_was_meant_is_what_a_look_at_every_word_finds():
    analysis = Analysis()
    rng = random.Random(2)
    words = sorted({word for item in shelf(200, seed=3) for word in analysis.words(f"{item.title} {item.brand}")})
    words += ["".join(rng.choices("abcdeiklmnorstu", k=rng.randint(3, 10))) for _ in range(400)]
    vocabulary = Vocabulary()
    for word in words:
        vocabulary.add([word])
    known = set(words)
    mended = 0
    for word in rng.sample(words, 80):
        typed = mistype(mistype(word, rng), rng) if rng.random() < 0.3 else mistype(word, rng)
        meant = vocabulary.meant(typed)
        if len(typed) < SHORTEST:
            assert not meant
            continue
        others = {
            other: by_definition(typed, other) for other in known if len(other) >= SHORTEST - 1 and other != typed
        }
        for errors in (1, 2) if len(typed) >= LONG else (1,):
            expected = {other for other, away in others.items() if away <= errors}
            if expected:
                break
        assert {found.word for found in meant} <= expected
        assert len(meant) == min(len(expected), MOST)
        mended += bool(meant)
    assert mended > 30


def test_words_without_items_are_nobodys_meaning():
    vocabulary = Vocabulary()
    codes = vocabulary.add(["carpenter", "carpenter"])
    assert vocabulary.items("carpenter") == 1
    assert [found.word for found in vocabulary.meant("carpentar")] == ["carpenter"]
    vocabulary.remove(codes)
    assert vocabulary.meant("carpentar") == []


def test_synonyms_go_both_ways_or_one_way(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("# mine\nrn, registered nurse\ncook => chef, kitchen hand # one way\n", encoding="utf-8")
    synonyms = read_synonyms(path, Analysis().words)
    assert synonyms.of(("rn",)) == [("registered", "nurse")]
    assert synonyms.of(("registered", "nurse")) == [("rn",)]
    assert synonyms.of(("cook",)) == [("chef",), ("kitchen", "hand")]
    assert synonyms.of(("chef",)) == []


def test_a_wrong_line_of_a_synonyms_file_is_named(tmp_path):
    path = tmp_path / "own.txt"
    for wrong in ("alone", "a, one two three four", "a => ", " , b"):
        path.write_text(f"rn, nurse\n{wrong}\n", encoding="utf-8")
        with pytest.raises(SynonymsError, match="line 2"):
            read_synonyms(path, Analysis().words)
    assert read_synonyms(SHIPPED, Analysis().words).of(("couch",)) == [("sofa",)]


def test_the_locale_chooses_stems_and_stop_words():
    assert Analysis("en-US").stem("developers") == Analysis("en").stem("developer")
    assert Analysis("de_AT").stem("häuser") == Analysis("de").stem("haus")
    assert (Analysis("en").stem("the"), Analysis("de").stem("the") != "") == ("", True)
    with pytest.raises(ValueError, match="tlh"):
        Analysis("tlh")
