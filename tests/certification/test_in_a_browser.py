"""In a real browser: a certificate lapses, and the queue says so before anybody is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from api.kit.context import Context
from service.domain.people import Role
from tests.kit.certificates import certify
from tests.kit.chromium import window
from tests.kit.house import House
from tests.web.test_browser import spotless

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """Nothing waits here but what this test brings."""
    return quiet_house


async def test_a_lapse_is_said_before_anybody_is_refused(
    house: House, browser: Browser, address: str
) -> None:
    builder, ada = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    admin, leader = await house.visitor(Role.ADMIN), await house.visitor(Role.LEADER)
    today: Context = house.app.state.context
    now = datetime.now(UTC) - DAY
    async with house.sessions.begin() as session:
        await certify(session, builder.person, "course", at=now, days=0)
    async with (
        window(browser, house, address, admin) as theirs,
        window(browser, house, address, ada) as hers,
        window(browser, house, address, leader) as his,
        window(browser, house, address, builder) as mine,
    ):
        # Yesterday: sessions do not live through a day that is skipped.
        house.app.state.context = Context(
            today.sessions, today.engine, lambda: now, today.drawings, reviews=today.reviews
        )
        await theirs.goes("/admin/certification")
        form = theirs.page.locator("form[action$='/requirements']")
        for name, value in {
            "certificate": "course",
            "role": "owner",
            "tier": "medium",
            "stage": "triage",
            "effect": "blocks",
        }.items():
            await form.locator(f"[name={name}]").select_option(value)
        await form.locator("[name=basis]").fill("A rule of the house")
        await form.locator("[name=valid_from]").fill(now.date().isoformat())
        await form.locator("[name=reason]").fill("Because.")
        await form.get_by_role("button").click()
        await expect(theirs.page.get_by_role("status")).to_contain_text("It is asked for.")
        key = await builder.hand_in()

        await his.goes("/reports/certification")
        await expect(his.page.locator("h1")).to_contain_text("1 certificate lapses within 90 days")
        await expect(his.page.locator("table").nth(1)).to_contain_text(key)
        await hers.goes("/queue")
        approve = hers.page.get_by_role("button", name=f"Approve {key}")
        await expect(approve).to_be_visible()

        house.app.state.context = today  # the night is over, and nobody has renewed it
        await hers.goes("/queue")
        line = hers.page.locator(f"[data-line={key}]")
        await expect(line).to_contain_text("The accountable owner is certified: course")
        await expect(approve).to_have_count(0)
        await mine.goes("/certification")
        await expect(mine.page.locator("main")).to_contain_text("Missing")

        await theirs.goes("/admin/certification/people")
        form = theirs.page.locator("form[action$='/certificates']")
        await form.locator("[name=person]").fill(builder.person.email)
        await form.locator("[name=certificate]").select_option("course")
        await form.get_by_role("button").click()
        await expect(theirs.page.get_by_role("status")).to_contain_text("written down")
        await hers.goes("/queue")
        await approve.click()
        await expect(hers.page.get_by_role("status")).to_contain_text(key)
        spotless(theirs, hers, his, mine)
