"""In a real browser: the owner measures, finance confirms, the committee decides and locks, and the
next quarter scores what was predicted."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from api.kit.context import Context
from service.domain.cohort import Period, quarter_of
from service.domain.people import Role
from service.reports.quarters import before
from service.reviews.store import open_review
from tests.kit.chromium import window
from tests.kit.desk import open_desk
from tests.kit.house import House
from tests.reviews.quarters import in_production
from tests.web.test_browser import spotless

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """Nothing is in production here but what this test brings."""
    return quiet_house


async def fill(page: Page, action: str, **fields: str) -> None:
    """Open a form if it is closed, fill it in and send it."""
    form = page.locator(f"form[action$='{action}']").first
    if not await form.is_visible():
        await form.locator("xpath=ancestor::details[not(@open)]/summary").first.click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if await field.evaluate("field => field.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await form.get_by_role("button").last.click()


async def test_a_whole_quarter(house: House, browser: Browser, address: str) -> None:
    owner = await house.visitor(Role.BUILDER)
    finance = await house.visitor(Role.REVIEWER, party="finance")
    leader = await house.visitor(Role.LEADER)
    now = house.app.state.context.now()
    last = before(quarter_of(now))
    earlier = before(last)
    live = earlier.begin - 60 * DAY
    key = (await in_production(open_desk(house.sessions), owner.person, live=live)).key
    ends = now.date() - DAY
    async with (
        window(browser, house, address, owner) as hers,
        window(browser, house, address, finance) as theirs,
        window(browser, house, address, leader) as his,
    ):
        await his.goes("/reviews")
        await fill(his.page, "/reviews", quarter=earlier.name)
        await expect(his.page.locator("h1")).to_contain_text("0 of 1 asked have measured.")

        await _measures(hers.page, address, key, live.date(), ends)
        await theirs.goes(f"/use-cases/{key}")
        await fill(theirs.page, "/confirm")
        await expect(theirs.page.locator(".value .notice.good")).to_contain_text("Confirmed.")

        await his.goes(f"/reviews/{earlier.name}")
        await expect(his.page.locator("h1")).to_contain_text("1 of 1 asked have measured.")
        await fill(his.page, "/close", reason="All is in.")
        await his.page.get_by_role("link", name="The committee's list").click()
        await _decides_by_keyboard(his.page, by=now.date() + DAY)
        await expect(his.page.locator("h1")).to_have_text("All are decided.")
        await his.goes(f"/reviews/{earlier.name}")
        await fill(his.page, "/lock", reason="All are decided.")
        await expect(his.page.locator("h1")).to_contain_text("Locked: 1 of 1 were decided.")
        await his.page.get_by_role("link", name="Board paper").click()
        await expect(his.page.locator("main")).to_contain_text("Half of it is there.")

        spotless(hers, theirs, his)

    await _two_days_later(house, last, leader.person.id)
    async with window(browser, house, address, leader) as his:
        await his.goes(f"/reviews/{last.name}")
        scores = his.page.locator("#scores + p")
        await expect(scores).to_contain_text("1 of 1 predictions came true")
        await his.goes(f"/reviews/{last.name}/decide?key={key}")
        await expect(his.page.locator("main")).to_contain_text("The prediction held:")
        spotless(his)


async def _measures(page: Page, address: str, key: str, starts: date, ends: date) -> None:
    await page.goto(f"{address}/use-cases/{key}")
    await fill(
        page,
        f"/{key}/measurements",
        starts=starts.isoformat(),
        ends=ends.isoformat(),
        quantity="money",
        value="50,000",
        method="before_after",
        source="the books",
    )
    await expect(page.locator(".value .notice.good")).to_contain_text("Entered.")


async def _decides_by_keyboard(page: Page, *, by: date) -> None:
    """Without a mouse: the first choice has the focus."""
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[name=choice][value=extend]")).to_be_checked()
    await page.keyboard.press("Tab")
    await page.keyboard.type("Half of it is there.")
    await page.keyboard.press("Tab")
    await page.keyboard.type("40,000")
    await page.locator("[name=by]").fill(by.isoformat())
    await page.locator("[name=probability]").focus()
    await page.keyboard.type("70")
    await page.keyboard.press("Enter")


async def _two_days_later(house: House, quarter: Period, by: str) -> None:
    """The day of the prediction is over, and the next review is opened."""
    later = datetime.combine(house.app.state.context.now().date() + 2 * DAY, time(9), UTC)
    context = house.app.state.context
    house.app.state.context = Context(
        context.sessions,
        context.engine,
        lambda: later,
        context.drawings,
        reviews=context.reviews,
    )
    async with house.sessions.begin() as session:
        assert await open_review(session, quarter, by=by, at=later)
