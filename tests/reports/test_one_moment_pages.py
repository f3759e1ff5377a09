"""What pages say of the same thing is the same number: open cases, what a decision saves."""

import csv
import io
import re

import pytest

from service.domain.people import Role
from tests.kit.browsing import Guest, browsing, guest
from tests.kit.house import House
from tests.kit.organisation import Stage, furnish


@pytest.fixture(scope="module")
async def stage(quiet_house: House) -> Stage:
    """A house with something on every page."""
    made = await furnish(quiet_house)
    for somebody in (made.leader, made.enabler):
        somebody.http.headers["Authorization"] = f"Bearer {somebody.token}"
    return made


def number(pattern: str, text: str) -> int:
    """The number that a pattern finds in a page."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in {text[:800]}"
    return int(found[1].replace(",", ""))


async def listed_open(somebody: Guest) -> dict[str, dict[str, str]]:
    """Every open use case as the API lists them, by key."""
    page = await somebody.api.sees("use-cases?status=open&limit=200")
    return {one["key"]: one for one in page["items"]}


async def test_every_page_counts_the_same_open_cases(quiet_house: House, stage: Stage) -> None:
    leader = await browsing(quiet_house, stage.leader)
    there = await listed_open(leader)
    assert len(there) > 10
    board = await leader.sees("/board")
    flow = await leader.sees("/reports/flow")
    clock = await leader.api.sees("reports/clock")
    verdict = await leader.api.sees("reports/verdict")
    report = await leader.api.sees("reports/flow")
    stages = await leader.api.sees("reports/stages")

    assert number(r"([\d,]+) open", board.text) == len(there)
    assert number(r"([\d,]+) cases are open", flow.text) == len(there)
    assert report["wip"] == sum(tier["open"] for tier in report["ages"]) == len(there)
    assert report["rows"][-1]["wip"] == len(there)
    assert len(report["oldest"]) == len(there)
    assert verdict["arms"]["intake"]["open"] == len(there)
    assert clock["groups"][0]["cases"] - clock["groups"][0]["completed"] == len(there)
    assert sum(one["open"] for one in stages["groups"][0]["stages"]) == len(there)
    assert all(check["ok"] for check in report["checks"])


async def test_what_was_just_decided_is_in_all_of_them(quiet_house: House, stage: Stage) -> None:
    """The flow was kept for fifteen seconds, while the board had moved on."""
    leader = await browsing(quiet_house, stage.leader)
    builder = await guest(quiet_house, Role.BUILDER)

    async def counted() -> tuple[int, int, int]:
        board, flow = await leader.sees("/board"), await leader.sees("/reports/flow")
        table = await leader.http.get("/reports/verdict/table.csv")
        whole = next(csv.DictReader(io.StringIO(table.text)))
        return (
            number(r"([\d,]+) open", board.text),
            number(r"([\d,]+) cases are open", flow.text),
            int(whole["open"]),
        )

    before = await counted()
    assert len(set(before)) == 1
    key = await builder.api.hand_in(tier="low")
    assert await counted() == tuple(one + 1 for one in before)
    await builder.api.does(key, "go_live")
    assert await counted() == before


async def test_the_queue_counts_what_the_board_has_on_enablements_clock(
    quiet_house: House, stage: Stage
) -> None:
    enabler = await browsing(quiet_house, stage.enabler)
    there = await listed_open(enabler)
    theirs = {key for key, one in there.items() if one["holder"] == "enablement"}
    board = await enabler.sees("/board")
    queue = await enabler.sees("/queue", whose="team")
    decisions = await enabler.api.sees("reports/decisions")

    assert number(r"Enablement ([\d,]+)", board.text) == len(theirs)
    assert set(queue.attributes("li", "data-line")) == theirs
    waits = {
        key
        for key, one in there.items()
        if one["mode"] == "waiting" and one["holder"] not in {"builder", "parked"}
    }
    assert decisions["waiting"] == len(waits)
    assert {one["case"] for one in decisions["decisions"]} == waits


async def test_a_decision_saves_the_same_in_the_queue_and_in_every_report(
    quiet_house: House, stage: Stage
) -> None:
    """Also where the report is asked for one tier or unit: it learns from the same history."""
    builder = await guest(quiet_house, Role.BUILDER)
    for _ in range(3):
        key = await builder.api.hand_in(tier="low")
        await builder.api.does(key, "go_live")
    await quiet_house.app.state.context.forecaster.learned()
    enabler = await browsing(quiet_house, stage.enabler)
    queue = await enabler.sees("/queue", whose="team")
    report = await enabler.sees("/reports/decisions")
    in_queue = dict(
        re.findall(r'data-line="(UC-\d+)".*?class="saved">saves ([^<]+)<', queue.html, re.DOTALL)
    )
    assert in_queue
    whole = (await enabler.api.sees("reports/decisions"))["decisions"]
    parts = [
        one
        for tier in ("low", "medium", "high")
        for one in (await enabler.api.sees(f"reports/decisions?tier={tier}"))["decisions"]
    ]

    scores = {one["case"]: one["score_days"] for one in whole}
    for one in parts:
        assert one["score_days"] == pytest.approx(scores[one["case"]], abs=0.01), one["case"]
    assert {one["case"] for one in parts} == set(scores)
    shown = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", report.html, re.DOTALL):
        link = re.search(r"/use-cases/(UC-\d+)", row)
        if link:
            shown[link[1]] = re.findall(r"<td[^>]*>(.*?)</td>", row)[-1]
    both = in_queue.keys() & shown.keys()
    assert both
    for key in both:
        assert in_queue[key].removesuffix(" days") == shown[key], key
