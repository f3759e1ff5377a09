"""Pictures of every page, light and dark, on a desk and on a phone: `make screenshots`."""

import argparse
import asyncio
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, ViewportSize
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import migrations
from demo.filling import fill
from demo.harness import ANSWERS, EVALUATED
from demo.library import WITHDRAWN
from demo.live import TITLE
from demo.ways import EFFECTIVE
from embedded.postgres import postgres, postgres_url
from embedded.program import running
from embedded.temporal import address, free_port, temporal
from service.domain.cohort import period_from
from service.domain.people import Role
from service.forecasts.forecaster import forecast_due
from service.reports.quarters import before
from service.reports.registry import Name
from tests.history.test_compare_pages import history
from tests.kit.chromium import NAMES, chromium, executable, window
from tests.kit.house import House, Visitor, open_house
from tests.kit.organisation import Stage, furnish
from tests.kit.serving import served

LIVE = "Draft answers to standard complaints"
SIZES: dict[str, ViewportSize] = {
    "desk": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
}


def pictures(stage: Stage, live: str, evaluated: str) -> list[tuple[str, Visitor | None, str]]:
    """Every page: what its picture is called, who looks, and where. `live` is the key of a use case
    that has been in production for months, `evaluated` of one that harnesses run on."""
    locked = before(period_from(stage.review)).name
    unit = quote("Sample Mutual: Claims")
    return [
        ("sign-in", None, "/sign-in"),
        ("hand-in", stage.builder, "/new"),
        ("hand-in-draft", stage.builder, f"/new?draft={stage.draft}"),
        ("my-use-cases", stage.builder, "/use-cases"),
        ("handed-in", stage.builder, f"/use-cases/{stage.asked}?done=submit"),
        ("asked", stage.builder, f"/use-cases/{stage.asked}"),
        ("under-way", stage.enabler, f"/use-cases/{stage.under_way}"),
        ("finished", stage.leader, f"/use-cases/{stage.finished}"),
        ("queue", stage.enabler, "/queue"),
        ("notices", stage.enabler, "/notices"),
        ("notices-builder", stage.builder, "/notices"),
        ("queue-third-party", stage.reviewer, "/queue"),
        ("board", stage.leader, "/board"),
        *((f"reports-{name}", stage.leader, f"/reports/{name}") for name in Name),
        ("reports-wrong", stage.leader, "/reports/verdict?as_of=soon&tau=many"),
        ("in-production", stage.enabler, f"/use-cases/{live}"),
        ("portfolio", stage.leader, "/portfolio"),
        ("portfolio-sheet", stage.leader, f"/portfolio/sheet?unit={unit}"),
        ("library", stage.builder, "/library"),
        ("library-asset", stage.enabler, f"/library/{EFFECTIVE}"),
        ("library-withdrawn", stage.enabler, f"/library/{WITHDRAWN}"),
        ("library-checks", stage.enabler, "/library/checks"),
        ("offers", stage.enabler, "/offers"),
        ("library-propose", stage.builder, "/library/propose"),
        ("library-harness", stage.enabler, f"/library/{ANSWERS}"),
        ("harness-tokens", stage.enabler, "/harness-tokens"),
        ("harness-runs", stage.leader, f"/use-cases/{evaluated}"),
        ("hand-in-pattern", stage.builder, f"/new?pattern={EFFECTIVE}"),
        ("reviews", stage.leader, "/reviews"),
        ("reviews-one", stage.leader, f"/reviews/{stage.review}"),
        ("reviews-locked", stage.leader, f"/reviews/{locked}"),
        ("reviews-decide", stage.leader, f"/reviews/{stage.review}/decide"),
        ("reviews-paper", stage.leader, f"/reviews/{stage.review}/paper"),
        ("process", stage.leader, "/process"),
        ("lighthouses", stage.leader, "/lighthouses"),
        ("lighthouses-programme", stage.leader, f"/lighthouses/{stage.programme}"),
        ("compare", stage.leader, "/compare"),
        ("all-use-cases", stage.leader, "/use-cases"),
        ("none-found", stage.leader, "/use-cases?unit=nowhere"),
        ("people", stage.admin, "/admin"),
        ("person", stage.admin, f"/admin/people/{stage.builder.person.id}"),
        ("currency-rates", stage.admin, "/admin/currency-rates"),
        ("certification-mine", stage.builder, "/certification"),
        ("certification-rules", stage.admin, "/admin/certification"),
        ("certification-people", stage.admin, "/admin/certification/people"),
        ("account", stage.builder, "/account"),
        ("not-for-you", stage.builder, "/queue"),
        ("nothing-here", stage.builder, "/nothing"),
    ]


async def take(folder: Path) -> None:
    """Take pictures of an empty installation, fill it with the sample organisation and with what
    shows something on each page, and take all the others."""
    data = Path(tempfile.mkdtemp(prefix="hw-s-"))
    port = free_port()
    async with (
        running(postgres(data / "p", durable=False)),
        running(temporal(data / "t", port, durable=False)),
    ):
        await migrations.upgrade(postgres_url(data / "p"))
        client = await Client.connect(address(port), data_converter=pydantic_data_converter)
        url = postgres_url(data / "p")
        async with chromium() as browser:
            async with open_house(url, client) as house, served(house.app) as where:
                first = await house.visitor(Role.BUILDER, Role.ENABLER)
                for name in ("queue", "use-cases", "board"):
                    empty = (f"empty-{name}", first, f"/{name}")
                    await _picture(browser, house, where, folder, empty)
            # Another process of the same installation: this one remembers that there was nothing.
            async with open_house(url, client) as house, served(house.app) as where:
                await fill(house.sessions, house.app.state.context.engine, at=datetime.now(UTC))
                stage = await furnish(house)
                forecaster = house.app.state.context.forecaster
                await forecast_due(house.sessions, forecaster, at=datetime.now(UTC))
                for what in pictures(stage, await _live(house), await _evaluated(house)):
                    await _picture(browser, house, where, folder, what)
                await _compared(browser, house, where, folder, stage.admin)
    shutil.rmtree(data, ignore_errors=True)


async def _live(house: House) -> str:
    """The key of a use case with measurements, a correction and a milestone of its own."""
    leader = await house.visitor(Role.LEADER)
    lines = (await leader.sees("portfolio?state=measured&limit=200"))["items"]
    [key] = [one["key"] for one in lines if one["title"] == TITLE + LIVE]
    return str(key)


async def _picture(
    browser: Browser,
    house: House,
    where: str,
    folder: Path,
    what: tuple[str, Visitor | None, str],
) -> None:
    name, visitor, path = what
    for scheme in ("light", "dark"):
        for size, viewport in SIZES.items():
            looks = {"color_scheme": scheme, "viewport": viewport, "locale": "en-GB"}
            async with window(browser, house, where, visitor, **looks) as one:
                await one.goes(path)
                file = folder / f"{re.sub(r'[^a-z-]', '', name)}-{scheme}-{size}.png"
                await one.page.screenshot(path=file, full_page=True)


async def _evaluated(house: House) -> str:
    """The use case whose runs show most."""
    named = text("SELECT 'UC-' || number FROM use_case WHERE title LIKE :title")
    async with house.sessions() as session:
        return str(await session.scalar(named, {"title": f"%{EVALUATED}"}))


async def _compared(
    browser: Browser, house: House, where: str, folder: Path, visitor: Visitor
) -> None:
    """A file on its way: its columns chosen, then its verdict."""
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "archive.csv"
        await asyncio.to_thread(file.write_bytes, history())
        for scheme in ("light", "dark"):
            for size, viewport in SIZES.items():
                looks = {"color_scheme": scheme, "viewport": viewport, "locale": "en-GB"}
                async with window(browser, house, where, visitor, **looks) as one:
                    await one.goes("/compare")
                    await one.page.locator("#file").set_input_files(file)
                    await one.page.get_by_role("button", name="Read it").click()
                    await one.page.locator(".mapping").wait_for()
                    path = folder / f"compare-columns-{scheme}-{size}.png"
                    await one.page.screenshot(path=path, full_page=True)
                    await one.page.get_by_role("button", name="Compare", exact=True).click()
                    await one.page.locator("figure picture img").wait_for()
                    path = folder / f"compare-verdict-{scheme}-{size}.png"
                    await one.page.screenshot(path=path, full_page=True)


def main() -> None:
    """Take them."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    folder: Path = asked.parse_args().folder
    if executable() is None:
        sys.exit(f"no browser on this machine: install one of {', '.join(NAMES)}")
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(folder))


if __name__ == "__main__":
    main()
