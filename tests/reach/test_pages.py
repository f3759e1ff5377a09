"""Reach and hours on the page of a use case: counted, corrected, said in one tap."""

from datetime import timedelta

import pytest

from tests.kit.browsing import Guest, Page, browsing
from tests.kit.house import House
from tests.value.test_api import LIVE, Live, in_production


@pytest.fixture
async def live(house: House) -> Live:
    return await in_production(house)


async def looks(house: House, live: Live, who: str) -> tuple[Guest, Page]:
    somebody = await browsing(house, getattr(live, who))
    return somebody, await somebody.sees(f"/use-cases/{live.key}")


def day(number: int) -> str:
    return (LIVE + timedelta(days=number)).isoformat()


def shown(number: int) -> str:
    return f"{LIVE + timedelta(days=number):%-d %b %Y}"


async def test_counted_corrected_and_in_the_way(house: House, live: Live) -> None:
    owner, page = await looks(house, live, "owner")
    assert "nobody has counted who uses it" in page.text
    page = await owner.sends(page.form("reach"), day=day(30), users="1,200", source="the log")
    assert "1,200 users" in page.text
    assert "Reached 1,000 users by" in page.text
    assert "Next: a second unit, which nobody has counted" in page.text
    page = await owner.sends(page.form("reach/1/correct"), users="0", units="1")
    assert "Nobody uses it." in page.text
    assert "Next: 100 users" in page.text
    csv = f"date,users\n{day(60)},120\n{day(90)},many"
    page = await owner.sends(page.form("reach/series"), csv=csv, source="log", status=422)
    assert "Line 3: users is a whole number" in page.text
    assert page.form("reach/series").values["csv"].replace("\r", "") == csv
    page = await owner.sends(page.form("reach/series"), csv=csv.replace("many", "130"))
    assert "All of them are entered." in page.text
    page = await owner.sends(
        page.form("investment-case"),
        milestones=f"125 users\n900 users {day(80)}\n3 countries",
        reason="How far it is to reach.",
    )
    assert f"Reached 125 users by {shown(90)}" in page.text
    assert f"Next: 900 users as its case says, by {shown(80)} late" in " ".join(page.text.split())
    assert "Next: 3 countries, which nobody has counted as its case says" in page.text
    page = await owner.sends(page.form("reach"), day=day(90), users="1.5", status=422)
    assert "Write a whole number" in page.text
    page = await owner.sends(
        page.form("obstacles"), obstacle="access", holder="finance", since=day(90), note="Budget."
    )
    assert "has the move: Access: accounts, licences, devices" in page.text
    assert "Budget." in page.text

    assert (await live.measure(live.owner)).status_code == 201, "finance may read it from then on"
    _, page = await looks(house, live, "finance")
    assert "130 users" in page.text
    assert not page.offers("reach")


async def test_hours_are_said_in_one_tap(house: House, live: Live) -> None:
    owner, page = await looks(house, live, "owner")
    assert "Somebody said the hours of 0 of 1 pieces of work." in page.text
    page = await owner.sends(page.form("hours"), tap="1_to_4")
    assert "2 h on what it should bring, 0 h on what it does." in page.text
    assert not page.offers("hours")
    page = await owner.sends(page.form("reach"), day=day(30), users="12", source="the log")
    assert "How long did the last count take?" in page.text
    page = await owner.sends(page.form("hours"), tap="under_1")
    assert "2 h on what it should bring, 0.5 h on what it does." in page.text
    assert "Somebody said the hours of 2 of 2 pieces of work." in page.text


async def test_whoever_has_handed_in_is_asked_at_once(house: House, live: Live) -> None:
    owner, _ = await looks(house, live, "owner")
    page = await owner.sees(f"/use-cases/{live.key}?done=submit")
    assert page.text.count("How long did it take to write down what it should bring?") == 1
