"""The headline obeys the question: page, API, command and picture say what their figures say."""

import html
import json
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from charts.labels import ratio
from cli.report import Wanted, show
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE, quarter_of
from service.domain.people import Role
from service.errors import BadInput
from service.facts.imported import begin_import, observed, write_cases
from service.reports.quarters import before, lock
from service.reports.question import question_from
from service.reports.registry import Name
from service.reports.sentences import Judged, verdict_sentence
from service.reports.verdict import VerdictReport
from tests.kit.browsing import Guest, Page, guest
from tests.kit.house import House

DAY = timedelta(days=1)
TOOK = {"Fast": 10, "Slow": 60, "Gone": None}
"""Days of the intake by unit; of `Gone` it has no case. Before, all of them took thirty."""
FILTERS = [
    *({"unit": unit} for unit in TOOK),
    {"tier": "low"},
    {"tier": "high"},
    {"tier": "medium"},
    {"tau": "15"},
    {"unit": "Slow", "tier": "low"},
    {"unit": "Slow", "tau": "40"},
    {"cohort": "intake[unit=Slow]"},
    {"cohort": "intake[tier=high]", "baseline": "before[tier=high]"},
    {"cohort": "before", "baseline": "intake"},
    {"baseline": "before[unit=Slow]"},
]
WHOLE: list[dict[str, str]] = [{}, {"baseline": "before"}, {"cohort": "intake"}]
UNKNOWN = [
    ({"unit": "Nobody"}, "unit", "there are: Fast, Gone, Slow"),
    ({"tier": "purple"}, "tier", "there are: low, medium, high"),
    ({"cohort": "beofre"}, "cohort", "there are: intake, before"),
    ({"baseline": "beofre"}, "baseline", "there are: intake, before"),
    ({"cohort": "intake[unit=Nobody]"}, "cohort", "there are: Fast, Gone, Slow"),
    ({"baseline": "before[tier=purple]"}, "baseline", "there are: low, medium, high"),
    ({"cohort": "intake[pathway=scenic]"}, "cohort", "there are: light, regulated, standard"),
    ({"cohort": "intake[pathway=light@99]"}, "cohort", "there are: light@1"),
    ({"cohort": "intake[tier=high]", "tier": "low"}, "tier", "leave one of the two out"),
    ({"cohort": "intake[evidence=approved-pattern]"}, "cohort", "immortal time"),
    ({"baseline": "intake[evidence!=approved-pattern]"}, "baseline", "says the report library"),
    ({"cohort": "intake[asset=template]"}, "cohort", "the report library says what each asset"),
]


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """An intake that is faster as a whole and slower in one unit, and its locked quarter."""
    now = quiet_house.app.state.context.now()
    quarter = before(quarter_of(now))
    cases = list(_cases(quarter.begin - 500 * DAY))
    async with quiet_house.sessions.begin() as session:
        run = await begin_import(session, "history", at=now)
        await write_cases(session, run, cases)
        await observed(session, run, quarter.end)
    assert await lock(quiet_house.sessions, quarter, at=now)
    return quiet_house


def _cases(start: datetime) -> list[Case]:
    found = []
    for number in range(120):
        unit = ("Fast", "Fast", "Slow", "Gone")[number % 4]
        tier = ("low", "high")[number % 3 == 0]
        for cohort, days in ((INTAKE, TOOK[unit]), ("before", 30)):
            if days is None:
                continue
            begun = start + number * DAY - (400 * DAY if cohort == "before" else 0 * DAY)
            ended = begun + (days + number % 7) * DAY
            found.append(
                Case(f"{cohort}-{number}", cohort, tier, unit, begun, ended, Outcome.PRODUCTION)
            )
    return found


async def asked(
    house: House,
    leader: Guest,
    question: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Page, dict[str, Any]]:
    """The page and the report of a question, which API and command answer alike."""
    page = await leader.sees(f"/reports/verdict?{urlencode(question)}")
    api = await leader.api.http.get("/v1/reports/verdict", params=question)
    assert api.status_code == 200, api.text
    found: dict[str, Any] = api.json()
    monkeypatch.setenv("HEADWAY_DATABASE_URL", house.url)
    capsys.readouterr()
    await show(_wanted(question))
    assert json.loads(capsys.readouterr().out) == found
    return page, found


def _wanted(question: dict[str, str]) -> Wanted:
    given = question_from(
        cohort=question.get("cohort", INTAKE),
        baseline=question.get("baseline", ""),
        tau_days=float(question["tau"]) if "tau" in question else None,
        tier=question.get("tier", ""),
        unit=question.get("unit", ""),
        by="nothing",
    )
    return Wanted(Name.VERDICT, given, question.get("as_of"), None)


def heading(page: Page) -> str:
    """The sentence above a page."""
    [said] = re.findall(r"<h1>(.+?)</h1>", page.html, re.DOTALL)
    return html.unescape(said)


def first_row(page: Page) -> list[str]:
    """The cells of the first row of the first table."""
    body = page.html.partition("<tbody>")[2].partition("</tr>")[0]
    return [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", body)]


@pytest.mark.parametrize("question", [*WHOLE, *FILTERS], ids=str)
async def test_sentence_figures_and_table_are_of_one_question(
    house: House,
    question: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leader = await guest(house, Role.LEADER)
    yesterday = (house.app.state.context.now() - DAY).date().isoformat()
    page, found = await asked(house, leader, {**question, "as_of": yesterday}, capsys, monkeypatch)

    says = found["sentence"]
    assert heading(page) == says
    report = VerdictReport.model_validate(found)
    figures = verdict_sentence(Judged.of(report), report.own_estimates)
    assert says.endswith(figures[1:]), "the sentence is that of the figures below it"
    assert f"as of the end of {yesterday} (UTC)" in page.text.lower().replace("utc", "UTC")
    for name in ("unit", "tier"):
        assert question.get(name, "") in says
    assert first_row(page)[2] == ratio(found["ratio"])
    cases = next(iter(found["arms"].values()))["cases"]
    assert first_row(page)[3] == f"{cases:,}"

    drawn = [one for tag, one in page.tags if tag == "img" and "survival" in one["src"]]
    [alternative] = [one["alt"] for one in drawn if one["alt"]]
    for curve in found["curves"]:
        assert f"{curve['cohort']} ({curve['cases']} case" in alternative or not curve["cases"]
    address = drawn[0]["src"]
    assert dict(parse_qsl(urlsplit(address).query)).items() >= question.items()
    picture = await leader.http.get(address)
    total = sum(curve["cases"] for curve in found["curves"])
    assert f"{total:,} case" in re.sub(r"<[^>]+>", " ", picture.text)

    if question in WHOLE:
        [quarter] = found["locked"]
        assert found["official"]["quarter"] == quarter["quarter"]
        assert found["official"]["sentence"] in page.text
    else:
        assert (found["locked"], found["official"]) == ([], None)
        assert "locked for" not in page.text


async def test_each_unit_has_its_own_answer(house: House) -> None:
    """The locked sentence of the whole stood above both, and above the unit without a case."""
    leader = await guest(house, Role.LEADER)
    found = {unit: await leader.api.sees(f"reports/verdict?unit={unit}") for unit in TOOK}
    whole = await leader.api.sees("reports/verdict")

    assert found["Fast"]["ratio"] < 1 < found["Slow"]["ratio"]
    assert found["Gone"]["ratio"] is None
    sentences = {one["sentence"] for one in (whole, *found.values())}
    assert len(sentences) == 4
    assert whole["official"]["sentence"] not in sentences


async def test_the_locked_sentence_stands_above_the_figures_that_were_locked(
    house: House,
) -> None:
    leader = await guest(house, Role.LEADER)
    now = house.app.state.context.now()
    quarter = before(quarter_of(now))
    day = (quarter.end - DAY).date().isoformat()
    [locked] = (await leader.api.sees("reports/verdict"))["locked"]
    at_the_end = await leader.api.sees(f"reports/verdict?as_of={day}")
    part = await leader.api.sees(f"reports/verdict?as_of={day}&unit=Slow")

    assert at_the_end["sentence"] == at_the_end["official"]["sentence"]
    for key in ("ratio", "ci", "verdict", "confidence"):
        assert at_the_end[key] == locked[key]
    assert part["official"] is None
    assert part["ratio"] > 1


@pytest.mark.parametrize(("question", "field", "says"), UNKNOWN, ids=str)
async def test_names_that_are_not_there_are_refused_with_those_that_are(
    house: House,
    question: dict[str, str],
    field: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leader = await guest(house, Role.LEADER)
    page = await leader.sees(f"/reports/verdict?{urlencode(question)}", status=422)
    api = await leader.api.http.get("/v1/reports/verdict", params=question)
    picture = await leader.http.get("/reports/verdict/survival.svg", params=question)
    table = await leader.http.get("/reports/verdict/table.csv", params=question)
    monkeypatch.setenv("HEADWAY_DATABASE_URL", house.url)
    with pytest.raises(BadInput) as refused:
        await show(_wanted(question))

    assert (api.status_code, picture.status_code, table.status_code) == (422, 422, 422)
    [error] = api.json()["errors"]
    assert (error["field"], refused.value.field) == (field, field)
    assert says in error["detail"] == refused.value.detail
    assert f'id="{field}-wrong"' in page.html
    assert says in page.text
    assert "locked for" not in page.text


@pytest.mark.parametrize("name", list(Name))
async def test_cohorts_by_evidence_are_refused_or_said_to_be_no_comparison(
    house: House, name: Name
) -> None:
    """What compares refuses them; what describes says that it does no more, and where to look."""
    leader = await guest(house, Role.LEADER)
    question = {"cohort": "intake[evidence=approved-pattern]"}
    api = await leader.api.http.get(f"/v1/reports/{name.value}", params=question)

    assert "report library" in api.text
    if name.of.compares:
        assert (api.status_code, "immortal time bias" in api.text) == (422, True)
    else:
        assert api.status_code == 200, api.text
        assert "whoever ended early had no time" in api.json()["notes"][-1]


@pytest.mark.parametrize("name", list(Name))
async def test_every_report_refuses_a_unit_that_is_not_there(house: House, name: Name) -> None:
    leader = await guest(house, Role.LEADER)
    api = await leader.api.http.get(f"/v1/reports/{name.value}", params={"unit": "Nobody"})

    assert api.status_code == 422
    assert "there are: Fast, Gone, Slow" in api.text
