"""The pages for leadership: one sentence first, everything in the address, nothing lost."""

import re
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest

from service.domain.people import Role
from service.reports.registry import Name
from tests.assumptions.test_api import a_baseline
from tests.kit.browsing import guest
from tests.kit.house import House

every_report = pytest.mark.parametrize("name", list(Name))


async def some_cases(house: House) -> None:
    """Use cases of a unit with an ugly name, one of them in production."""
    builder = await house.visitor(Role.BUILDER)
    for number in range(2):
        key = await builder.hand_in(tier="low", business_unit="<b>Sales</b> & =1")
        if number:
            await builder.does(key, "go_live")


@every_report
async def test_a_report_begins_with_its_sentence(house: House, name: Name) -> None:
    await some_cases(house)
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get(
        f"/reports/{name.value}?by=unit" if name is Name.CLOCK else f"/reports/{name.value}"
    )

    assert page.status_code == 200
    heading = re.search(r"<h1>(.+?)</h1>", page.text, re.DOTALL)
    assert heading
    assert heading[1].strip().endswith(".")
    assert "<b>Sales" not in page.text
    assert (f"/reports/{name.value}/table.csv" in page.text) != ('class="nothing"' in page.text)


async def test_the_first_report_is_the_verdict(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get("/reports")

    assert 'aria-current="page">Verdict' in page.text
    assert "/reports/verdict/survival.svg?theme=dark" in page.text


async def test_what_is_asked_stays_in_every_address(house: House) -> None:
    await some_cases(house)
    leader = await guest(house, Role.ENABLER)
    page = await leader.http.get("/reports/clock?tier=low&as_of=2026-11-20")

    for address in ("/reports/stages", "/reports/clock/clock.svg", "/reports/clock/clock.png"):
        [link] = {
            one for one in re.findall(r'="([^"]+)"', page.text) if one.startswith(address)
        } - {one for one in re.findall(r'="([^"]+)"', page.text) if "theme=dark" in one}
        assert "tier=low" in link
        assert "as_of=2026-11-20" in link
    assert 'value="2026-11-20"' in page.text


async def test_pictures_and_tables_come_as_files(house: House) -> None:
    await some_cases(house)
    leader = await guest(house, Role.LEADER)
    light = await leader.http.get("/reports/clock/clock.svg")
    dark = await leader.http.get("/reports/clock/clock.svg?theme=dark")
    png = await leader.http.get("/reports/verdict/trend.png")
    table = await leader.http.get("/reports/clock/table.csv?by=unit")

    assert ElementTree.fromstring(light.text).tag.endswith("svg")  # noqa: S314
    assert light.content != dark.content
    assert png.content.startswith(b"\x89PNG")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"


async def test_a_link_to_this_shows_the_same_tomorrow(house: House) -> None:
    await some_cases(house)
    leader = await guest(house, Role.LEADER)
    page = await leader.sees("/reports/verdict", tau="90")
    links = [one for one in page.attributes("a", "href") if "as_of=" in one]
    [pinned] = [one for one in links if one.startswith("/reports/verdict?")]
    moments = {dict(parse_qsl(urlsplit(one).query))["as_of"] for one in links}
    assert len(moments) == 1, "pictures and tables are of the moment of their page"
    await some_cases(house)
    again = await leader.sees(pinned)

    assert "tau=90" in pinned
    assert pinned in again.attributes("a", "href")
    table = [page.text.partition("By tier")[2] for page in (page, again)]
    assert table[0] == table[1] != ""


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("cohort=intake[colour=red]", "there is no condition colour"),
        ("as_of=soon", "is not a date"),
        ("as_of=2999-01-01", "is in the future"),
        ("baseline=intake", "compared with itself"),
        ("tau=soon", "write a number of days"),
        ("tau=-1", "write a number of days"),
        ("tau=1e-300", "write a number of days"),
        ("as_of=0001-01-01 00:00+14", "no calendar has this day"),
    ],
)
async def test_what_makes_no_sense_is_said_and_kept(house: House, query: str, says: str) -> None:
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get(f"/reports/verdict?{query.replace('+', '%2B')}")

    assert page.status_code == 422
    assert says in page.text
    assert f'value="{query.partition("=")[2]}"' in page.text


@every_report
@pytest.mark.parametrize(
    ("field", "value"),
    [("cohort", "%00"), ("unit", "%00"), ("unit", "x" * 401), ("by", "nonsense"), ("tau", "nan")],
)
async def test_what_cannot_be_looked_for_is_said_next_to_its_field(
    house: House, name: Name, field: str, value: str
) -> None:
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get(f"/reports/{name.value}?{field}={value}&as_of=2026-11-20")
    table = await leader.http.get(f"/reports/{name.value}/table.csv?{field}={value}")

    assert page.status_code == table.status_code == 422
    assert f'id="{field}-wrong"' in page.text
    assert f'aria-describedby="{field}-wrong"' in page.text
    assert 'value="2026-11-20"' in page.text


@every_report
async def test_sending_the_form_keeps_what_this_report_does_not_show(
    house: House, name: Name
) -> None:
    leader = await guest(house, Role.LEADER)
    await a_baseline(house, "before")
    asked = {"cohort": "intake", "baseline": "before", "tier": "low", "unit": "Claims"}
    asked |= {"by": "tier", "against": "latest", "tau": "90"}
    asked |= {"as_of": "2026-11-20", "zone": "Europe/Berlin"}
    page = await leader.http.get(f"/reports/{name.value}", params=asked)
    form = page.text.partition('<form class="filters')[2].partition("</form>")[0]

    assert page.status_code == 200
    own = {"programme"} if name is Name.LIGHTHOUSES else set()
    assert set(re.findall(r' name="([^"]+)"', form)) == set(asked) | own


@pytest.mark.parametrize("path", ["/reports", "/reports/clock", "/reports/clock/table.csv"])
async def test_reports_are_for_those_who_may_read_them(house: House, path: str) -> None:
    builder = await guest(house, Role.BUILDER)
    assert (await builder.http.get(path)).status_code == 403


async def test_there_is_no_report_or_picture_of_another_name(house: House) -> None:
    leader = await guest(house, Role.LEADER)

    assert (await leader.http.get("/reports/horoscope")).status_code in {404, 422}
    assert (await leader.http.get("/reports/clock/portrait.svg")).status_code == 422


async def test_the_verdict_goes_on_with_where_the_time_went_and_what_would_help(
    house: House,
) -> None:
    await some_cases(house)
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get("/reports/verdict?tier=low&tau=90")

    assert page.status_code == 200
    for other, which in (("clock", "clock"), ("help", "help")):
        picture = f'src="/reports/{other}/{which}.svg?theme=light&amp;tier=low&amp;as_of='
        assert picture in page.text, "of the moment that the page is of"
        assert f'href="/reports/{other}?tier=low"' in page.text
        alone = await leader.http.get(f"/reports/{other}?tier=low")
        [sentence] = re.findall(r"<h1>(.+?)</h1>", alone.text)
        assert f">{sentence}</h2>" in page.text


async def test_what_can_be_asked_is_offered(house: House) -> None:
    await some_cases(house)
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get("/reports/clock")

    assert '<option value="intake">' in page.text
    assert '<option value="low">Low</option>' in page.text
    assert '<option value="&lt;b&gt;Sales&lt;/b&gt; &amp; =1">' in page.text


async def test_the_verdict_has_the_wait_that_costs_most(house: House) -> None:
    await some_cases(house)
    builder = await house.visitor(Role.BUILDER)
    await builder.hand_in(tier="medium", business_unit="Claims")
    leader = await guest(house, Role.LEADER)
    page = await leader.http.get("/reports/verdict?unit=Claims")

    assert "The wait that costs most is for enablement in triage: " in page.text
    assert 'href="/reports/delay?unit=Claims"' in page.text
