"""Names as small integers, so that columns can hold them: brands, cities, regions, countries, categories, tags.

Names are matched without regard to case and surrounding blanks; the first spelling is the one shown. Code 0 is no name.
Names are never forgotten: a catalogue's brands and places are few beside its items.
"""

from collections.abc import Mapping


def folded(name: str) -> str:
    """>>> folded(" San  José ") == folded("san josé")
    True
    """
    return " ".join(name.casefold().split())


class Codes:
    """>>> cities = Codes()
    >>> cities.learn("Austin"), cities.learn("austin "), cities.code("Paris"), cities.name(1)
    (1, 1, 0, 'Austin')
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._folded: dict[str, int] = {}
        self._names: list[str] = [""]

    @property
    def spellings(self) -> Mapping[str, int]:
        """Code by each spelling that was ever learned: for names that come from the catalogue itself."""
        return self._codes

    def __len__(self) -> int:
        """One more than the largest code."""
        return len(self._names)

    def learn(self, name: str | None) -> int:
        """The code of a name, a new one where it has none; of None or blanks, 0."""
        if not name:
            return 0
        code = self._codes.get(name)
        if code is None:
            plain = folded(name)
            if not plain:
                return 0
            code = self._folded.get(plain)
            if code is None:
                code = self._folded[plain] = len(self._names)
                self._names.append(name)
            self._codes[name] = code
        return code

    def code(self, name: str | None) -> int:
        """The code of a name, or 0."""
        if not name:
            return 0
        code = self._codes.get(name)
        return self._folded.get(folded(name), 0) if code is None else code

    def name(self, code: int) -> str:
        """The name as it was first spelled; of code 0, the empty string."""
        return self._names[code]
