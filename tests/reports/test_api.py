"""Reports over HTTP: one question has one answer, as JSON, as a table and as a picture."""

import csv
import io
from xml.etree import ElementTree

import pytest

from service.domain.people import Role
from service.reports.registry import Name
from tests.kit.house import House

every_report = pytest.mark.parametrize("name", list(Name))


async def hand_in_some(house: House) -> None:
    """Three use cases of the light pathway, two of them in production."""
    builder = await house.visitor(Role.BUILDER)
    for number in range(3):
        key = await builder.hand_in(tier="low", business_unit="=SUM(A1)")
        if number:
            await builder.does(key, "go_live")


@pytest.fixture(scope="module")
async def some_cases(house: House) -> None:
    """There are some, before anything is asked."""
    await hand_in_some(house)


@pytest.fixture(scope="module")
async def before_and_after(house: House, some_cases: None) -> dict[Name, list[bytes]]:
    """Each report as of a moment, asked before some more use cases were handed in, and after."""
    leader = await house.visitor(Role.LEADER)
    moments = {}
    for name in Name:
        now = (await leader.sees(f"reports/{name.value}"))["as_of"].replace("+00:00", "Z")
        moments[name] = f"/v1/reports/{name.value}?as_of={now}"
    asked: dict[Name, list[bytes]] = {name: [] for name in Name}
    for more in (False, True):
        if more:
            await hand_in_some(house)
        for name, address in moments.items():
            answer = await leader.http.get(address)
            assert answer.status_code == 200, answer.text
            asked[name].append(answer.content)
    return asked


@every_report
@pytest.mark.usefixtures("some_cases")
async def test_a_report_says_what_it_is_and_as_of_when(house: House, name: Name) -> None:
    leader = await house.visitor(Role.LEADER)
    found = await leader.sees(f"reports/{name.value}?as_of=2026-11-20")

    assert found["report"] == name.value
    assert found["as_of"].startswith("2026-11-20T23:59:59")


@every_report
def test_what_was_known_on_a_day_does_not_change(
    before_and_after: dict[Name, list[bytes]], name: Name
) -> None:
    before, again = before_and_after[name]

    assert again == before


@every_report
@pytest.mark.usefixtures("some_cases")
async def test_a_table_for_spreadsheets_holds_no_formula(house: House, name: Name) -> None:
    leader = await house.visitor(Role.LEADER)
    answer = await leader.http.get(f"/v1/reports/{name.value}?format=csv&by=unit")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f"attachment; filename=headway-{name.value}.csv"
    cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]
    if name is Name.CLOCK:
        assert "'=SUM(A1)" in cells


@pytest.mark.usefixtures("some_cases")
async def test_a_picture_is_svg_or_png(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    svg = await leader.http.get("/v1/reports/clock?format=svg")
    png = await leader.http.get("/v1/reports/verdict?format=png&picture=survival")

    assert svg.headers["content-type"] == "image/svg+xml"
    assert ElementTree.fromstring(svg.text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("verdict?cohort=intake[started=2026-H3]", "cohort"),
        ("verdict?baseline=intake", "baseline"),
        ("verdict?baseline=[x]", "baseline"),
        ("clock?cohort=intake[colour=red]", "cohort"),
        ("clock?by=mood", "query.by"),
        ("clock?format=pdf", "query.format"),
        ("clock?format=svg&picture=portrait", "picture"),
        ("changes?format=svg", "picture"),
        ("clock?as_of=2999-01-01T00:00:00Z", "as_of"),
        ("clock?tau=0", "query.tau"),
    ],
)
async def test_a_question_that_makes_no_sense_is_bad_input(
    house: House, query: str, field: str
) -> None:
    leader = await house.visitor(Role.LEADER)
    answer = await leader.http.get(f"/v1/reports/{query}")

    assert answer.status_code == 422, answer.text
    assert field.removeprefix("query.") in answer.text


async def test_there_is_no_report_of_another_name(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    assert (await leader.http.get("/v1/reports/horoscope")).status_code in {404, 422}


@every_report
async def test_reports_are_for_those_who_may_read_them(house: House, name: Name) -> None:
    builder = await house.visitor(Role.BUILDER)
    assert (await builder.http.get(f"/v1/reports/{name.value}")).status_code == 403
