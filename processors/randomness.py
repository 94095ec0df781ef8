"""Random numbers that are a function of the event: the same after a crash, in a replay and in another process."""

import numpy as np

from processors.identity import hash64


class Randomness:
    """A generator seeded by an identifier, made when it is first drawn from."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self._generator: np.random.Generator | None = None

    @property
    def generator(self) -> np.random.Generator:
        if self._generator is None:
            self._generator = np.random.Generator(np.random.PCG64(hash64(self.identifier) & (2**64 - 1)))
        return self._generator
