"""Reviews on pages: opened, closed, decided one after the other, locked, printed."""

from datetime import timedelta

from service.domain.cohort import quarter_of
from service.domain.people import Role
from service.reports.quarters import before
from tests.kit.browsing import guest
from tests.kit.desk import open_desk
from tests.kit.house import House
from tests.reviews.quarters import in_production

EVIL = "It <b>grows</b>."


async def test_a_whole_review_on_pages(quiet_house: House) -> None:
    house = quiet_house
    leader, enabler = await guest(house, Role.LEADER), await guest(house, Role.ENABLER)
    builder = await guest(house, Role.BUILDER)
    now = house.app.state.context.now()
    quarter = before(quarter_of(now))
    live = quarter.begin - timedelta(days=120)
    desk = open_desk(house.sessions)
    first = await in_production(desk, builder.person, live=live)
    second = await in_production(desk, builder.person, live=live)
    await builder.sees("/reviews", status=403)

    page = await enabler.sees("/reviews")
    assert "There is no review yet." in page.text
    page = await enabler.sends(page.form("/reviews"), quarter="2099-Q1", status=422)
    assert "2099-Q1 is not over yet" in page.text
    page = await enabler.sends(page.form("/reviews"), quarter=quarter.name)
    assert page.path == f"/reviews/{quarter.name}"
    assert "0 of 2 asked have measured." in page.text
    assert "Nothing has come yet." in page.text
    assert not page.offers("lock")
    away = {"reason": "Away."}
    page = await enabler.sends(page.form("dates"), **away, collect_until="soon", status=422)
    assert page.form("dates").values["collect_until"] == "soon"
    page = await enabler.sends(
        page.form("dates"), reason="Away.", decide_until="2026-01-01", status=422
    )
    assert "later than now" in page.text
    page = await enabler.sends(page.form("close"), reason=EVIL)
    assert "The evidence is closed." in page.text
    assert EVIL in page.text
    assert "<b>" not in page.html
    page = await enabler.sees(f"{page.path}/decide")
    assert "Only the committee decides" in page.text

    page = await leader.sees(f"/reviews/{quarter.name}/decide")
    page = await leader.sends(page.form("decide"), choice="fix", reason=EVIL, status=422)
    assert "Say what it will have delivered, by when and how likely that is." in page.text
    assert page.form("decide").values["reason"] == EVIL
    day = (now + timedelta(days=60)).date().isoformat()
    said = {"at_least": "20,000", "by": day, "probability": "70", "low": "10,000", "high": "40000"}
    page = await leader.sends(page.form("decide"), choice="fix", reason=EVIL, **said)
    assert "Decided, and on record." in page.text
    page = await leader.sends(page.form("decide"), choice="stop", reason="Nobody uses it.")
    assert "All are decided." in page.text

    page = await leader.sees(f"/reviews/{quarter.name}/decide", key=first.key)
    assert "70% likely (between 10,000 and 40,000 EUR)." in page.text
    page = await leader.sees(f"/reviews/{quarter.name}")
    page = await leader.sends(page.form("lock"), reason="All are decided.")
    assert "Locked: 2 of 2 were decided; 2 of 2 asked did not measure in time." in page.text
    assert not page.offers("lock")
    page = await leader.sees(f"/reviews/{quarter.name}/paper")
    for one in (first.key, second.key, "Delivered against promised", "Nobody uses it."):
        assert one in page.text
    await leader.sees("/reviews/2019-Q1", status=404)
    await leader.sees(f"/reviews/{quarter.name}/decide", status=404, key="UC-999999")
