"""Parties as they look: each has one colour everywhere, also on other pages and in pictures."""

import zlib

from service.domain.people import BUILDER, ENABLEMENT, PARKED
from web.words import t

OURS = {BUILDER: "builder", ENABLEMENT: "enablement", PARKED: "parked"}
KNOWN = ("risk", "legal", "security", "privacy")
"""Third parties that keep the first colours."""
THIRD_PARTY_COLOURS = 4
"""`--party-third-1` to `-4` in static/headway.css."""


def colour(holder: str | None) -> str:
    """The class that gives something this party's colour."""
    if holder is None:
        return "party-none"
    if holder in OURS:
        return f"party-{OURS[holder]}"
    if holder in KNOWN:
        return f"party-third-{KNOWN.index(holder) + 1}"
    return f"party-third-{zlib.crc32(holder.encode()) % THIRD_PARTY_COLOURS + 1}"


def party_name(holder: str | None) -> str:
    """What a party is called."""
    if holder is None:
        return t("party.none")
    return t(f"party.{OURS[holder]}") if holder in OURS else holder.replace("-", " ").capitalize()
