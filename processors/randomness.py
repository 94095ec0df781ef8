"""Random numbers that are a function of the event: the same after a crash, in a replay and in another process."""

from typing import Final

import numpy as np

from processors.identity import hash64

_BITS: Final = 2**64 - 1


class Randomness:
    """What an identifier draws: numbers in [0, 1) one after the other, or a generator, made when it is first needed.

    >>> first, again = Randomness("views-3-14"), Randomness("views-3-14")
    >>> [first.random(), first.random()] == [again.random(), again.random()]
    True
    """

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self._drawn = 0
        self._generator: np.random.Generator | None = None

    def random(self) -> float:
        """The next number, uniform in [0, 1): 53 bits of a hash, which costs a tenth of making a generator."""
        self._drawn += 1
        return ((hash64(f"{self.identifier}/{self._drawn}") & _BITS) >> 11) * 2.0**-53

    @property
    def generator(self) -> np.random.Generator:
        """For whoever draws many, or orders; its numbers have nothing to do with those of `random`."""
        if self._generator is None:
            self._generator = np.random.Generator(np.random.PCG64(hash64(self.identifier) & _BITS))
        return self._generator
