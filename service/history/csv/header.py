"""Where in a file the columns are that a map names."""

from collections.abc import Iterable, Sequence

from service.domain.naming import fold, key_of, listed, shown
from service.history.csv.errors import FileUnreadable

MOST_ABOVE = 20  # rows that may stand above the header


def said_delimiter(line: str) -> str:
    """What a first line like `sep=;`, which spreadsheets understand, says; "" if it is no such."""
    text = line.strip('\ufeff\r\n "')
    return text[4:] if text[:4].casefold() == "sep=" and len(text) == 5 else ""


class Header:
    """Finds a map's columns in a header, and collects what is wrong to say it once."""

    def __init__(self, header: Sequence[str]) -> None:
        self.names = [fold(name) for name in header]
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(header):
            self._places.setdefault(key_of(name), []).append(place)
        self._missing: list[str] = []
        self._doubled: list[str] = []

    def all_of(self, names: Iterable[str]) -> list[int]:
        return [place for name in names for place in self._find(name, needed=True)]

    def any_of(self, names: Sequence[str]) -> list[int]:
        """The places of those names that the header has; one is enough."""
        places = [place for name in names for place in self._find(name, needed=len(names) == 1)]
        if len(names) > 1 and not places:
            self._missing.append(" or ".join(map(shown, names)))
        return places

    def those_of(self, names: Sequence[str]) -> list[int]:
        """The places of those names that the header has; none will do."""
        return [place for name in names for place in self._find(name, needed=False)]

    def place_in(self, found: Sequence[int], name: str) -> int:
        places = self._find(name, needed=False)
        return found.index(places[0]) if places else 0  # a missing one is complained about

    def complain(self) -> None:
        if self._doubled:
            raise FileUnreadable(
                "columns that the header has more than once: "
                + ", ".join(dict.fromkeys(self._doubled))
            )
        if self._missing:
            there = listed([shown(name) for name in self.names])
            raise FileUnreadable(
                f"missing columns: {', '.join(dict.fromkeys(self._missing))}. The file has: {there}"
            )

    def _find(self, name: str, *, needed: bool) -> list[int]:
        places = self._places.get(key_of(name), [])
        if len(places) > 1:
            self._doubled.append(shown(name))
        elif not places and needed:
            self._missing.append(shown(name))
        return places[:1]
