"""In a real browser: a pattern is proposed, published, started from and handed in with; its gate
opens, a harness opens the next one, the adoption is checked, and what was found is told."""

import pytest
from playwright.async_api import Browser, Page, expect

from service.domain.people import Role
from service.domain.tiering import RiskAnswers
from tests.harness.living import brings, harness, machine
from tests.harness.samples import inspect
from tests.intake.test_handing_in_pages import IDEA
from tests.kit.chromium import window
from tests.kit.house import House
from tests.reviews.test_quarter_in_a_browser import fill
from tests.web.test_browser import spotless

KEY, TITLE = "answer-by-rank", "Answer questions by rank"


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """Nothing is to be checked here but what this test brings."""
    return quiet_house


async def test_from_a_proposal_to_a_finding(
    house: House, browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CHECK_SHARE", "1")
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    async with (
        window(browser, house, address, builder) as hers,
        window(browser, house, address, greta) as theirs,
    ):
        bea, enablement = hers.page, theirs.page
        await hers.goes("/library/propose")
        await bea.locator("[name=tiers][value=medium]").check()
        await fill(
            bea, "/library/propose", kind="pattern", key=KEY, title=TITLE, text="Somebody reads it."
        )
        await expect(bea.locator(".notice.good")).to_contain_text("It is a draft")

        await theirs.goes(f"/library/{KEY}")
        await fill(enablement, "/versions/1/published", reason="Three teams have used it.")
        await expect(enablement.locator(".notice.good")).to_contain_text("Published.")

        await hers.goes(f"/library/{KEY}")
        await bea.get_by_role("link", name="Start from this pattern").click()
        await expect(bea.locator("[name=title]")).to_have_value(TITLE)
        await _fills_in(bea)
        await expect(bea.locator("#similar")).to_contain_text("nobody has to decide at: Triage.")
        await bea.get_by_role("button", name="Hand in").click()
        await expect(bea.locator(".stages [aria-current]")).to_contain_text("Shape")
        await expect(bea.locator(".evidence").first).to_contain_text(f"library: {KEY}, version 1")
        use_case = bea.url.partition("?")[0].rpartition("/")[2]

        answers = await harness(greta)
        for visitor, command in ((greta, "claim"), (greta, "hand_over"), (builder, "hand_over")):
            await visitor.does(use_case, command)
        await hers.goes(f"/use-cases/{use_case}")
        await expect(bea.locator(".stages [aria-current]")).to_contain_text("Evaluate")
        async with await machine(house, builder, use_case) as ci:
            assert (await brings(ci, use_case, inspect(), answers)).status_code == 201
        # The page that is open follows by itself.
        await expect(bea.locator(".stages [aria-current]")).to_contain_text("Launch review")

        await theirs.goes("/queue")
        await enablement.get_by_role("link", name="Adoptions to check: 1").click()
        await enablement.locator("summary").first.click()
        await expect(enablement.locator(".asks")).to_have_text("Somebody reads it.")
        await enablement.get_by_label("It does not fit").check()
        await enablement.get_by_label("What you saw").fill("Nobody reads it.")
        await enablement.get_by_role("button", name="Write it down").click()
        await expect(enablement.locator("main")).to_contain_text("Nothing is to be checked.")

        await hers.goes("/use-cases")
        await expect(bea.locator(".told")).to_contain_text("Nobody reads it.")
        await hers.goes(f"/use-cases/{use_case}")
        await expect(bea.locator(".evidence .bad")).to_have_text("found unfit")
        await expect(bea.locator(".stages [aria-current]")).to_contain_text("Launch review")
        spotless(hers, theirs)


async def _fills_in(page: Page) -> None:
    answers = set(RiskAnswers.__dataclass_fields__)
    for name, value in IDEA.items():
        if name in answers:
            await page.locator(f"[name={name}][value={value}]").check()
        elif name != "title":
            await page.locator(f"[name={name}]").fill(value)
