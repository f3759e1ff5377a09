"""In a real browser: a lower tier with its second person, and an owner who leaves."""

import pytest
from playwright.async_api import Browser, expect

from service.domain.people import Role
from tests.kit.chromium import window
from tests.kit.house import House
from tests.web.test_browser import press, say, spotless


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """Nothing waits here but what these tests bring."""
    return quiet_house


async def test_a_lower_tier_waits_for_a_second_person(
    house: House, browser: Browser, address: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    ada, ben = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in(tier="medium")
    async with (
        window(browser, house, address, ada) as hers,
        window(browser, house, address, ben) as his,
    ):
        await hers.goes(f"/use-cases/{key}")
        await say(hers.page, "change_tier", "Nobody is harmed.", tier="low")
        await expect(hers.page.locator("p.missing").first).to_contain_text("Nobody is harmed.")
        agree = hers.page.locator("form[action$='/commands/agree']")
        await expect(agree).to_have_count(0)
        await his.goes(f"/use-cases/{key}")
        await expect(his.page.locator(".eyebrow")).to_contain_text("Medium")
        await press(his.page, "Agree to the lower tier")
        await expect(his.page.locator(".eyebrow")).to_contain_text("Low")
        spotless(hers, his)


async def test_an_owner_leaves_and_a_successor_takes_over(
    house: House, browser: Browser, address: str
) -> None:
    owner, successor = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    admin = await house.visitor(Role.ADMIN)
    key = await owner.hand_in()
    async with window(browser, house, address, admin) as hers:
        page = hers.page
        await hers.goes(f"/admin/people/{owner.person.id}")
        await page.locator("[name=active]").uncheck()
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator(".wrong").first).to_be_visible()
        await page.locator("[name=successor]").fill(successor.person.email)
        await page.locator("[name=active]").uncheck()
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator(".notice.good")).to_be_visible()
        spotless(hers)
    there = await successor.sees(f"use-cases/{key}")
    assert there["owner"]["name"] == successor.person.name
