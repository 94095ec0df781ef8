"""Numbers drawn by identifier: uniform, one after the other and from identifier to identifier, and the same again."""

import numpy as np
from scipy import stats

from processors.randomness import Randomness

COUNT = 50_000


def test_what_one_identifier_draws_is_uniform_and_has_no_memory() -> None:
    rng = Randomness("views-3-14")
    drawn = np.array([rng.random() for _ in range(COUNT)])
    assert 0.0 <= drawn.min() < drawn.max() < 1.0
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4.0 / COUNT**0.5


def test_the_first_number_of_neighbouring_identifiers_is_uniform() -> None:
    drawn = np.array([Randomness(f"views-{k % 12}-{k}").random() for k in range(COUNT)])
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4.0 / COUNT**0.5


def test_an_identifier_draws_the_same_again_whatever_its_generator_did() -> None:
    first, again = Randomness("e1"), Randomness("e1")
    numbers = [first.random() for _ in range(3)]
    again.generator.random(100)
    assert [again.random() for _ in range(3)] == numbers
    assert len(set(numbers)) == 3
    assert Randomness("e2").random() != numbers[0]
