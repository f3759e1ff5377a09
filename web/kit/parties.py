"""Parties as they look: each has one colour everywhere, on pages and in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from charts.palette import party_colours
from service.database import Sessions, reading
from service.domain.naming import plain
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.people.directory import third_parties
from web.kit.strings import t

OURS = {BUILDER: "builder", ENABLEMENT: "enablement", PARKED: "parked"}
KNOWN_FOR = 60.0
"""Seconds until it is looked again which third parties there are."""


@dataclass(slots=True)
class Parties:
    """The installation's third parties, on which their colours depend."""

    third: Sequence[str] = ()
    _colours: dict[str, str] = field(default_factory=party_colours)
    _known_at: float = float("-inf")

    async def know(self, sessions: Sessions, *, clock: float) -> None:
        """Look which there are, unless that was done a moment ago (`clock` in seconds)."""
        if clock - self._known_at < KNOWN_FOR:
            return
        self._known_at = clock
        async with reading(sessions) as session:
            self.third = await third_parties(session)
        self._colours = party_colours(self.third)

    def colour(self, holder: str | None) -> str:
        """The class that gives something this party's colour; see static/headway.css."""
        if holder is None:
            return "party-none"
        name = self._colours.get(holder) or party_colours([*self.third, holder])[holder]
        return f"party-{name}"


def party_name(holder: str | None) -> str:
    """What a party is called."""
    if holder is None:
        return t("party.none")
    return t(f"party.{OURS[holder]}") if holder in OURS else plain(holder).capitalize()
