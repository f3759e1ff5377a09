"""The portfolio over HTTP and on its pages: who may read it, what it says, where it goes on."""

import csv
import io

import pytest

from service.domain.people import Role
from tests.kit.browsing import guest
from tests.kit.house import House

READS = {Role.ENABLER, Role.LEADER, Role.ADMIN}
UNIT = "Mills & <i>Sons"


async def some(house: House) -> list[str]:
    builder = await house.visitor(Role.BUILDER)
    return [await builder.hand_in(tier="low", business_unit=UNIT) for _ in range(3)]


@pytest.mark.parametrize("role", list(Role))
async def test_who_reads_reports_reads_it(house: House, role: Role) -> None:
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    wanted = 200 if role in READS else 403
    for path in ("/v1/portfolio", "/v1/portfolio?format=csv", "/v1/reports/value"):
        assert (await visitor.http.get(path)).status_code == wanted


async def test_lines_go_on_where_the_answer_before_ended(house: House) -> None:
    keys = await some(house)
    leader = await house.visitor(Role.LEADER)
    asked = {"unit": UNIT, "sort": "newest", "limit": "2"}
    hours = await leader.http.get("/v1/portfolio", params={"unit": UNIT})
    before = hours.json()["effort"]
    said = await house.visitor(Role.ENABLER)
    tracked = {"about": "case", "hours": 6}
    answer = await said.http.post(f"/v1/use-cases/{keys[0]}/hours", json=tracked)
    assert answer.status_code == 201, answer.text
    first = (await leader.http.get("/v1/portfolio", params=asked)).json()
    assert first["effort"]["modelling_hours"] == before["modelling_hours"] + 6
    assert first["effort"]["asked"] == before["asked"] == first["total"]["cases"]
    assert first["effort"]["said"] == before["said"] + 1
    assert first["effort_sentence"].startswith("Nothing was tracked that somebody said")
    assert first["total"]["cases"] >= 3
    assert first["total"]["promised"] == 180_000 * first["total"]["cases"]
    assert [line["key"] for line in first["items"]] == keys[:0:-1]
    assert first["items"][0]["gaps"] == ["no_baseline", "no_plan"]
    next_ = await leader.http.get("/v1/portfolio", params={**asked, "cursor": first["cursor"]})
    assert next_.json()["items"][0]["key"] == keys[0]
    table = await leader.http.get("/v1/portfolio", params={"unit": UNIT, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {row["key"] for row in rows} >= set(keys)
    for bad in ({"cursor": "UC-0"}, {"as_of": "soon"}, {"gap": "none"}, {"limit": "201"}):
        answer = await leader.http.get("/v1/portfolio", params={"unit": UNIT, **bad})
        assert answer.status_code == 422, bad


async def test_the_page_its_sheet_its_pictures_and_its_table(house: House) -> None:
    keys = await some(house)
    leader = await guest(house, Role.LEADER)
    page = await leader.sees("/portfolio", unit=UNIT, by="tier", sort="newest")
    assert all(key in page.text for key in keys)
    assert UNIT in page.text
    assert "<i>" not in page.html
    assert "no measurement plan" in page.text
    assert "Modelling and tracking" in page.text
    sheet = await leader.sees("/portfolio/sheet", unit=UNIT)
    assert keys[0] in sheet.text
    for which in ("realised", "delivered"):
        picture = await leader.http.get(f"/portfolio/{which}.svg", params={"unit": UNIT})
        assert picture.status_code == 200
        assert picture.headers["content-type"] == "image/svg+xml"
    table = await leader.http.get("/portfolio/table.csv", params={"unit": UNIT})
    assert table.text.startswith("key,title,kpi,unit,sponsor,owner,tier,benefit,outcome,state,")
    wrong = await leader.sees("/portfolio", status=422, gap="some")
    assert "one of no_owner" in wrong.text
    nothing = await leader.sees("/portfolio", unit="Nowhere")
    assert "No use case is as asked for." in nothing.text
    builder = await guest(house, Role.BUILDER)
    await builder.sees("/portfolio", status=403)
