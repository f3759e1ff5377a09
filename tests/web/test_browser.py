"""The pages in a real browser: the whole way by two people, live, by keyboard, for everybody."""

import uuid
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from service.assumptions.store import record_assumption, withdraw_assumption
from service.domain.assumption import AssumptionKind
from service.domain.case import Case, Outcome
from service.domain.people import Role
from service.facts.imported import begin_import, observed, write_cases
from service.intake.drafts import keep_draft
from service.process.in_force import question
from service.reports.registry import Name
from tests.assumptions.test_api import a_baseline
from tests.history.test_compare_pages import history
from tests.intake.test_handing_in_pages import IDEA
from tests.kit.cases import until
from tests.kit.chromium import Window, window
from tests.kit.house import House
from tests.kit.organisation import Stage, furnish
from tests.kit.shared import INVENTORY
from tests.kit.stories import staged
from web.intake.handing_in import QUESTIONS
from web.reports.recent import RecentReports

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """Nothing waits here but what these tests bring."""
    return quiet_house


def spotless(*windows: Window) -> None:
    """Nothing was asked of another host, and the browser complained of nothing."""
    for one in windows:
        assert one.elsewhere == []
        assert one.complaints == []


async def press(page: Page, name: str, *, exact: bool = True) -> None:
    """Press a button in what one can do."""
    await page.locator(".actions").get_by_role("button", name=name, exact=exact).click()


async def say(page: Page, command: str, words: str, **fields: str) -> None:
    """Open a form, fill it in, send it."""
    form = page.locator(f"form[action$='/commands/{command}']").last
    if not await form.is_visible():
        await form.locator("xpath=..").locator("summary").click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if await field.evaluate("field => field.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    if words:
        await form.locator("[name=reason]").fill(words)
    await form.get_by_role("button").click()


async def test_from_an_idea_to_production_in_two_browsers(
    house: House, browser: Browser, address: str
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    async with (
        window(browser, house, address, builder) as hers,
        window(browser, house, address, enabler) as his,
    ):
        bea, enzo = hers.page, his.page
        await hers.goes("/new")
        for name, value in IDEA.items():
            if name in (*QUESTIONS, "autonomy"):
                await bea.locator(f"[name={name}][value={value}]").check()
            else:
                await bea.locator(f"[name={name}]").fill(value)
        await expect(bea.locator("#ahead")).to_contain_text("Medium risk")
        await expect(bea.locator("#ahead")).to_contain_text("Launch review")
        await expect(bea.locator("#ahead")).not_to_contain_text("open")
        await bea.get_by_role("button", name="Hand in").click()
        await expect(bea.locator(".whose")).to_have_text("It is Enablement’s move")
        key = bea.url.partition("?")[0].rpartition("/")[2]

        await his.goes("/queue")
        line = enzo.locator(f"[data-line={key}]")
        await line.get_by_role("button", name="Take up").click()
        await expect(enzo.locator(".notice")).to_contain_text("It is yours now.")
        # Her page has changed by itself.
        await expect(bea.locator(".whose")).to_contain_text(enabler.person.name)

        await his.goes(f"/use-cases/{key}")
        await say(enzo, "ask", "Which data does it read?")
        await expect(bea.locator(".whose")).to_have_text("It is your move")
        await say(bea, "answer", "Purchase orders of two years.")
        await expect(enzo.locator(".whose")).to_have_text("It is your move")
        await expect(enzo.locator(".conversation")).to_contain_text("Purchase orders")
        await press(enzo, "Approve")
        await press(enzo, "Hand over")
        await expect(bea.locator(".todo")).to_contain_text("build it")
        await press(bea, "Hand over")
        await expect(enzo.locator(".stages [aria-current]")).to_contain_text("Evaluate")
        await say(
            enzo,
            "attach",
            "",
            evidence_kind="evaluation-report",
            evidence_reference="wiki/eval-1",
        )
        await expect(enzo.locator(".evidence")).to_contain_text("wiki/eval-1")
        await press(enzo, "Approve")
        await expect(enzo.locator(".stages [aria-current]")).to_contain_text("Launch review")
        await press(enzo, "Approve")
        await expect(bea.locator(".todo")).to_contain_text("take it into production")
        await builder.plans(key)
        await press(bea, "It is live")
        await expect(bea.locator(".whose")).to_have_text("It has been in production")
        await expect(enzo.locator(".whose")).to_have_text("It has been in production")
        spotless(hers, his)


async def test_a_third_party_gives_its_view_in_a_third_browser(
    house: House, browser: Browser, address: str
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    reviewer = await house.visitor(Role.REVIEWER, party="security")
    key = await builder.hand_in()
    async with (
        window(browser, house, address, enabler) as his,
        window(browser, house, address, reviewer) as theirs,
    ):
        await his.goes(f"/use-cases/{key}")
        await say(his.page, "refer", "Is the door shut?", party="security")
        await expect(his.page.locator(".whose")).to_have_text("It is Security’s move")
        await theirs.goes("/queue")
        await expect(theirs.page.locator("[data-line]")).to_have_count(1)
        await theirs.page.get_by_role("link", name="Answer supplier questions").click()
        await say(theirs.page, "return", "It is shut.")
        await expect(his.page.locator(".conversation")).to_contain_text("It is shut.")
        await expect(his.page.locator(".whose")).to_have_text("It is your team’s move")
        spotless(his, theirs)


async def _above(page: Page, what: str, button: str) -> None:
    """The words stand on the page, and higher than the decision."""
    words = await page.get_by_text(what, exact=False).first.bounding_box()
    decision = await page.locator(f"form[action$='/commands/{button}']").bounding_box()
    assert words is not None, what
    assert decision is None or words["y"] < decision["y"], what


async def test_a_risk_reviewer_sees_every_answer_above_the_decision_and_takes_one_back(
    house: House, browser: Browser, address: str
) -> None:
    """Seven answers, the tier's reason, what it is worth; the approval takes a reason."""
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    reviewer = await house.visitor(Role.REVIEWER, party="risk")
    key = await builder.hand_in(tier="high")
    await enabler.does(key, "approve", reason="It is what it says.")
    await enabler.does(key, "hand_over")
    async with window(browser, house, address, reviewer) as theirs:
        page = theirs.page
        await theirs.goes("/queue")
        line = page.locator(f"[data-line={key}]")
        await expect(line.locator(".chips li")).to_have_count(7)
        await expect(line.get_by_role("button", name="Approve")).to_have_count(0)
        await line.locator("[data-approve]").click()
        await expect(page.locator(".risk-given > div")).to_have_count(7)
        for what in (
            *(question(name).asks for name in (*QUESTIONS, "autonomy")),
            "a regulation asks for evidence",
            "Buyers answer the same forty questions",
            "Chief procurement officer",
            "Handling time",
            "180,000",
        ):
            await _above(page, what, "approve")
        await say(page, "approve", "The risk is known.")
        notice = page.locator(".notice")
        await expect(notice).to_contain_text("Approved.")
        await notice.get_by_role("button", name="Take back").click()
        await expect(notice).to_contain_text("Taken back.")
        await expect(page.locator(".whose")).to_have_text("It is your team’s move")
        spotless(theirs)
    told = [
        step["command"] for step in (await builder.sees(f"use-cases/{key}/transitions"))["items"]
    ]
    assert told == ["submit", "approve", "hand_over", "approve", "take_back"]


async def test_without_script_a_decline_is_taken_back_and_too_late_it_says_so(
    house: House, browser: Browser, address: str
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    async with window(browser, house, address, enabler, java_script_enabled=False) as his:
        await his.goes(f"/use-cases/{key}")
        await say(his.page, "decline", "A rule would do.")
        await his.page.get_by_role("button", name="Take back").click()
        await expect(his.page.locator(".notice")).to_contain_text("Taken back.")
        await say(his.page, "decline", "A rule would do.")
        button = his.page.get_by_role("button", name="Take back")
        await expect(button).to_be_visible()

        async def over() -> bool:
            actions = await enabler.sees(f"use-cases/{key}/actions")
            return actions["take_back_until"] is None

        await until(over)
        await button.click()
        await expect(his.page.locator(".notice.bad")).to_contain_text(
            "A decision can be taken back for 10 seconds, and they are over."
        )


async def test_a_leader_sees_the_verdict_change_when_a_case_gets_to_production(
    house: House, browser: Browser, address: str
) -> None:
    builder, leader = await house.visitor(Role.BUILDER), await house.visitor(Role.LEADER)
    unit = f"Unit {leader.person.id[:6]}"
    await house_knows_a_baseline(house, unit)
    key = await builder.hand_in(tier="low", business_unit=unit)
    async with (
        window(browser, house, address, builder) as hers,
        window(browser, house, address, leader) as theirs,
    ):
        page = theirs.page
        await theirs.goes(f"/reports?unit={unit}&cohort=intake&baseline=before")
        before = await page.locator("h1").inner_text()
        row = page.locator("tbody tr").filter(has_text="intake").first
        told = await row.inner_text()
        await hers.goes(f"/use-cases/{key}")
        await press(hers.page, "It is live")
        await expect(hers.page.locator(".whose")).to_have_text("It has been in production")

        house.app.state.pages.the(RecentReports).clear()  # else it would be seen some seconds later
        await page.reload()
        assert await row.inner_text() != told
        assert await page.locator("h1").inner_text() != before
        await expect(page.locator("figure img").first).to_have_js_property("complete", True)
        assert await page.locator("figure img").first.evaluate("image => image.naturalWidth") > 0
        spotless(hers, theirs)


async def house_knows_a_baseline(house: House, unit: str) -> None:
    """Cases of this unit, brought in: a baseline, and an intake with one case in production, which
    is one too few for a verdict."""
    at = datetime.now(UTC)

    def case(number: int, cohort: str, days: int | None) -> Case:
        begun = at - timedelta(days=(400 if cohort == "before" else 60) + number)
        return Case(
            case_id=f"{cohort} {number}",
            cohort=cohort,
            tier="low",
            business_unit=unit,
            started_at=begun,
            ended_at=None if days is None else begun + timedelta(days=days),
            outcome=Outcome.OPEN if days is None else Outcome.PRODUCTION,
        )

    cases = [case(number, "before", 20 + number) for number in range(12)]
    cases += [case(number, "intake", None if number else 15) for number in range(4)]
    async with house.sessions.begin() as session:
        run = await begin_import(session, unit, at=at)
        await write_cases(session, run, cases)
        await observed(session, run, at)


async def test_a_file_is_compared_and_brought_in(
    house: House, browser: Browser, address: str, tmp_path: Path
) -> None:
    admin = await house.visitor(Role.ADMIN)
    file = tmp_path / "archive.csv"
    file.write_bytes(history())
    async with window(browser, house, address, admin) as theirs:
        page = theirs.page
        await theirs.goes("/compare")
        await page.locator("#file").set_input_files(file)
        await page.get_by_role("button", name="Read it").click()
        await expect(page.locator("h1")).to_have_text("Which column is which?")
        await expect(page.locator("[data-way=own]")).to_be_hidden()
        await page.get_by_role("button", name="Compare", exact=True).click()
        await expect(page.locator("h1")).to_contain_text("compresses time-to-production")
        assert await faults(page) == []
        await page.get_by_label("All of it as this cohort").fill("archive")
        await page.get_by_role("button", name="Import").click()
        await expect(page.locator(".notice.good")).to_contain_text("120 new, 0 updated, 1 rejected")
        await theirs.goes("/reports?cohort=archive&baseline=intake")
        await expect(page.locator("h1")).to_contain_text("rchive")
        spotless(theirs)


@pytest.mark.skipif(not INVENTORY.exists(), reason="the federal inventory is not next to this")
async def test_the_federal_inventory_is_compared_as_it_was_published(
    house: House, browser: Browser, address: str
) -> None:
    leader = await house.visitor(Role.LEADER)
    async with window(browser, house, address, leader) as theirs:
        page = theirs.page
        await theirs.goes("/compare")
        await page.locator("#file").set_input_files(INVENTORY)
        await page.get_by_role("button", name="Read it").click()
        await expect(page.locator("#shipped")).to_have_value("omb-2024")
        await page.get_by_role("button", name="Compare", exact=True).click()
        # docs/federal-inventory.md: inconclusive, 1.07 (0.87 to 1.31), 1,358 of 2,133 rows.
        await expect(page.locator("h1")).to_have_text(
            "It is not clear whether intake compresses or extends time-to-production: 7% more time "
            "than no-intake (1.07, 95% between 0.87 and 1.31)."
        )
        await expect(page.locator("ul.notes")).to_contain_text("1358 of 2133 rows cannot be used")
        assert await faults(page) == []
        spotless(theirs)


async def test_what_one_writes_stays_when_something_happens_meanwhile(
    house: House, browser: Browser, address: str
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    async with window(browser, house, address, builder) as hers:
        page = hers.page
        await hers.goes(f"/use-cases/{key}")
        form = page.locator("form[action$='/commands/withdraw']")
        await form.locator("xpath=..").locator("summary").click()
        await form.locator("textarea").fill("We buy it inste")
        await enabler.does(key, "claim")
        await expect(page.locator("#meanwhile")).to_contain_text("Your text is still here.")
        await expect(form.locator("textarea")).to_have_value("We buy it inste")
        await page.get_by_role("link", name="Show what is new").click()
        await expect(page.locator(".whose")).to_contain_text(enabler.person.name)
        spotless(hers)


async def test_a_draft_that_keeps_itself_is_there_when_one_goes_back(
    house: House, browser: Browser, address: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    async with window(browser, house, address, builder) as hers:
        page = hers.page
        await hers.goes("/new")
        await page.locator("#title").fill("Plan the night shi")
        await expect(page.locator("#kept")).to_have_text("Draft kept")
        await page.reload()
        await expect(page.locator("#title")).to_have_value("Plan the night shi")
        await hers.goes("/use-cases")
        await page.go_back()
        await expect(page.locator("#title")).to_have_value("Plan the night shi")
        spotless(hers)


async def test_the_queue_by_keyboard_alone(house: House, browser: Browser, address: str) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    keys = [await builder.hand_in() for _ in range(2)]
    async with window(browser, house, address, enabler) as his:
        page = his.page
        await his.goes("/queue?by=age&start=0")
        lines = await page.locator("[data-line]").evaluate_all(
            "lines => lines.map(line => line.dataset.line)"
        )
        steps = lines.index(keys[0]) + 1 if keys[0] in lines else pytest.fail("not on the page")
        for _ in range(steps):
            await page.keyboard.press("j")
        await expect(page.locator(".at")).to_have_attribute("data-line", keys[0])
        await page.keyboard.press("c")
        await expect(page.locator(".notice")).to_contain_text(keys[0])
        await page.keyboard.press("u")
        await expect(page.locator(".notice")).to_contain_text("Taken back.")
        for _ in range(steps):
            await page.keyboard.press("j")
        await page.keyboard.press("q")
        await expect(page.locator("#reason")).to_be_focused()
        await page.keyboard.type("ca? jack")
        await page.locator("button[value=ask]").press("Enter")
        await expect(page.locator(".notice")).to_contain_text("Asked.")
        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await page.locator("#keys-on").uncheck()
        await page.keyboard.press("Escape")
        await page.keyboard.press("j")
        await expect(page.locator(".at")).to_have_count(0)
        spotless(his)


async def test_without_script_everything_is_there_and_a_use_case_is_handed_in(
    house: House, browser: Browser, address: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    async with window(browser, house, address, builder, java_script_enabled=False) as hers:
        page = hers.page
        await hers.goes("/new")
        await page.locator("[name=regulated][value=yes]").check()
        await page.get_by_role("button", name="Show what is ahead").last.click()
        await expect(page.locator("#ahead")).to_contain_text("High risk")
        for name, value in IDEA.items():
            if name in (*QUESTIONS, "autonomy"):
                await page.locator(f"[name={name}][value={value}]").check()
            else:
                await page.locator(f"[name={name}]").fill(value)
        await page.get_by_role("button", name="Hand in").click()
        await expect(page.locator(".whose")).to_have_text("It is Enablement’s move")
        assert "UTC" in await page.locator(".sentence").inner_text()


async def test_on_paper_the_clock_has_its_table_and_the_history_is_there(
    house: House, browser: Browser, address: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    async with window(browser, house, address, builder) as hers:
        await hers.goes(f"/use-cases/{key}")
        history = hers.page.locator(".history")
        await expect(history).to_be_hidden()
        await hers.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        await expect(history).to_be_visible()
        await expect(hers.page.locator("details.table table")).to_be_visible()
        await hers.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        await expect(history).to_be_hidden()


async def test_times_are_the_readers_own_with_iso_on_hover(
    house: House, browser: Browser, address: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    shown = {}
    for zone in ("Asia/Tokyo", "America/Lima"):
        async with window(
            browser, house, address, builder, timezone_id=zone, locale="en-GB"
        ) as hers:
            await hers.goes(f"/use-cases/{key}")
            time = hers.page.locator(".sentence time").first
            shown[zone] = await time.inner_text()
            assert await time.get_attribute("title") == await time.get_attribute("datetime")
            assert str(await time.get_attribute("title")).endswith("Z")
    assert shown["Asia/Tokyo"] != shown["America/Lima"]


@pytest.fixture(scope="module")
async def stage(house: House) -> Stage:
    found = await furnish(house)
    endless: dict[str, Any] = {"title": "W" * 200}
    await staged(house.sessions, found.builder.person, [], days_ago=1, **endless)
    async with house.sessions.begin() as session:
        draft, at = str(uuid.uuid4()), datetime.now(UTC)
        await keep_draft(session, found.builder.person.id, draft, endless, at=at)
    await a_baseline(house, ASSUMED_OF)
    async with house.sessions.begin() as session:
        for kind in AssumptionKind:
            recorded = await record_assumption(
                session,
                kind=kind,
                baseline=ASSUMED_OF,
                reason="Same teams, same tools.",
                person_id=found.leader.person.id,
                at=at,
            )
        await withdraw_assumption(
            session, recorded.id, reason="New tools.", person_id=found.admin.person.id, at=at
        )
    return found


ASSUMED_OF = "assumed-of"
"""A baseline of which something is assumed."""


def every_page(stage: Stage) -> list[tuple[Any, str]]:
    """Every page, as somebody who sees it."""
    return [
        (None, "/sign-in"),
        (None, "/sign-in?link=wrong"),
        (stage.builder, "/new"),
        (stage.builder, f"/new?draft={stage.draft}"),
        (stage.builder, "/use-cases"),
        (stage.builder, f"/use-cases/{stage.asked}"),
        (stage.enabler, f"/use-cases/{stage.under_way}"),
        (stage.leader, f"/use-cases/{stage.finished}"),
        (stage.enabler, "/queue"),
        (stage.reviewer, "/queue"),
        (stage.enabler, "/queue?whose=mine"),
        (stage.leader, "/board"),
        (stage.leader, "/reports"),
        *((stage.leader, f"/reports/{name}") for name in Name if name is not Name.VERDICT),
        (stage.leader, "/reports/verdict?as_of=soon&tau=many"),
        (stage.leader, f"/reports/verdict?baseline={ASSUMED_OF}&as_of=2026-01-31&zone=Mars"),
        (stage.leader, f"/reports/verdict?baseline={ASSUMED_OF}"),
        (stage.enabler, f"/reports/verdict?baseline={ASSUMED_OF}&unit=Claims"),
        (stage.leader, "/portfolio"),
        (stage.leader, "/portfolio?as_of=soon&gap=some"),
        (stage.leader, "/portfolio/sheet"),
        (stage.leader, "/reviews"),
        (stage.enabler, f"/reviews/{stage.review}"),
        (stage.leader, f"/reviews/{stage.review}/decide"),
        (stage.leader, f"/reviews/{stage.review}/paper"),
        (stage.enabler, "/library/checks"),
        (stage.enabler, "/offers"),
        (stage.leader, "/process"),
        (stage.leader, "/lighthouses"),
        (stage.leader, f"/lighthouses/{stage.programme}"),
        (stage.enabler, f"/lighthouses/{stage.programme}?as_of=soon"),
        (stage.leader, "/compare"),
        (stage.leader, "/use-cases?tier=high"),
        (stage.leader, "/use-cases?unit=nowhere"),
        (stage.admin, "/admin"),
        (stage.admin, f"/admin/people/{stage.builder.person.id}"),
        (stage.admin, "/account"),
        (stage.builder, "/queue"),
        (stage.builder, "/nothing"),
    ]


LOOKS: tuple[tuple[Any, int], ...] = (("light", 1280), ("dark", 320))
"""Themes, and widths in pixels. The pages change between them by style alone."""


async def test_every_page_is_for_everybody(
    house: House, browser: Browser, address: str, stage: Stage
) -> None:
    pages = every_page(stage)
    found = []
    for visitor in dict.fromkeys(who for who, _ in pages):
        async with window(browser, house, address, visitor) as one:
            await one.context.add_init_script(AXE)  # sent once, not to each page
            for path in (path for who, path in pages if who is visitor):
                await one.goes(path)
                for scheme, width in LOOKS:
                    await one.page.emulate_media(color_scheme=scheme)
                    await one.page.set_viewport_size({"width": width, "height": 900})
                    told = [*await faults(one.page), *await overflow(one.page)]
                    found += [f"{path}, {scheme}, {width}: {fault}" for fault in told]
            spotless(one)
    assert found == []


async def overflow(page: Page) -> list[str]:
    """Whether the page is wider than its window."""
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} pixels wider than the window"] if wide > 0 else []


async def faults(page: Page) -> list[str]:
    """What axe finds, with everything open that can be."""
    await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    judged = await page.evaluate(
        "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['html'][:150]}"
        for fault in judged["violations"]
        for node in fault["nodes"]
    ]
