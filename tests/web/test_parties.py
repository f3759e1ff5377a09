"""Each party has one colour, on pages and in pictures."""

import re
from pathlib import Path

from charts.palette import PARTIES, Theme, party_colours
from service.domain.people import Role
from tests.kit.browsing import guest
from tests.kit.house import House
from web.kit.parties import Parties

SHEET = (Path(__file__).parents[2] / "web" / "static" / "headway.css").read_text()


def test_the_stylesheet_has_the_colours_of_the_pictures_in_both_themes() -> None:
    light, dark = SHEET.split("@media screen and (prefers-color-scheme: dark)", 1)
    for theme, part in ((Theme.LIGHT, light), (Theme.DARK, dark.split("\n}\n", 1)[0])):
        written = dict(re.findall(r"--party-([a-z0-9-]+): (#[0-9a-f]{6});", part))
        assert written == {name: colour.on(theme).lower() for name, colour in PARTIES.items()}
    for name in PARTIES:
        assert f".party-{name} {{ --party: var(--party-{name}); }}" in SHEET


async def test_third_parties_have_the_same_colours_as_in_pictures(house: House) -> None:
    for party in ("ethics", "architecture", "finance"):
        await guest(house, Role.REVIEWER, party=party)
    parties = Parties()
    await parties.know(house.sessions, clock=0.0)
    assert {"ethics", "architecture", "finance"} <= set(parties.third)
    for party, name in party_colours(parties.third).items():
        assert parties.colour(party) == f"party-{name}"
    assert parties.colour("builder") == "party-builder"
    assert parties.colour(None) == "party-none"
    assert parties.colour("one that nobody speaks for").startswith("party-third-")


async def test_it_is_looked_again_after_a_while_and_not_for_every_page(house: House) -> None:
    parties = Parties()
    await parties.know(house.sessions, clock=0.0)
    before = parties.third
    visitor = await guest(house, Role.REVIEWER, party=f"new-{len(before)}")
    await parties.know(house.sessions, clock=59.0)
    assert parties.third is before
    await parties.know(house.sessions, clock=61.0)
    assert visitor.person.party in parties.third
