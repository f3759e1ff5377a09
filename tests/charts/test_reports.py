"""Every report that has pictures draws them, full and empty, and says them in words."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from charts.palette import Theme
from charts.reports import in_words, names_of, picture
from service.certification.requirements import Asked, begin_requirement
from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.certification import Effect, RequiredOf
from service.domain.cohort import INTAKE, period_from
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.standing import Mode
from service.domain.tiering import Tier
from service.domain.trace import Step
from service.effort.hours import About
from service.effort.store import say_hours
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.intake.pathways import pathways
from service.intake.use_cases import find
from service.library.adoptions import adopt_imported
from service.library.assets import Content, Kind
from service.library.store import propose_asset
from service.lighthouses.store import Who, make_programme, propose
from service.people.directory import add_person
from service.reports.quarters import lock
from service.reports.question import Question
from service.reports.registry import Name, report
from service.reports.report import Report
from service.reports.spreadsheet import as_csv
from service.value.delivered import Quantity
from service.value.grades import Method
from service.value.measurements import Found, record
from tests.kit.certificates import certify
from tests.kit.databases import Databases
from tests.kit.desk import Desk, open_desk
from tests.reach.living import counted, in_production

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = START + 300 * DAY
PICTURES = [(name, which) for name in Name for which in names_of(name)]
DOCS = Path(__file__).parents[2] / "docs"


async def fill(sessions: Sessions) -> None:
    """An intake with steps, some of it open, and a slower baseline without; a locked quarter."""
    cases: list[Case] = []
    steps: dict[str, tuple[Step, ...]] = {}
    for number in range(60):
        start = START + number * 5.05 * DAY
        wait, build = (1 + number % 5) * DAY, (6 + number % 7) * DAY
        ended = start + wait + build
        is_open = ended > NOW
        end, outcome = (None, Outcome.OPEN) if is_open else (ended, Outcome.PRODUCTION)
        cases.append(Case(f"i{number}", INTAKE, "low", "Sales", start, end, outcome))
        walk = (
            Step(start, "triage", "enablement", Mode.WAITING),
            Step(start + wait, "build", "builder", Mode.WORKING),
        )
        steps[f"i{number}"] = tuple(step for step in walk if step.at <= NOW)
        cases.append(
            Case(
                f"b{number}",
                "before",
                "low",
                "Sales",
                start - 400 * DAY,
                start - 400 * DAY + 2 * (wait + build),
                Outcome.PRODUCTION,
            )
        )
    async with sessions.begin() as session:
        run = await begin_import(session, "sample", at=NOW)
        await write_cases(session, run, cases, steps)
        await observed(session, run, NOW)
        ada = await add_person(
            session, name="Ada", email="ada@example.com", roles=[Role.ENABLER], at=START
        )
        content = Content(title="A template", owner=ada.id, text="Take it.")
        asset = await propose_asset(
            session, ada.actor, key="template", kind=Kind.PATTERN, content=content, at=START
        )
        taken = [
            (one.case_id, 1, one.started_at + DAY) for one in cases if one.case_id.startswith("i")
        ]
        await adopt_imported(session, asset, "sample", taken[::3], by=ada.id, sample=False)
    await lock(sessions, period_from("2026-Q2"), at=NOW)
    desk = open_desk(sessions)
    await a_candidate(desk)
    await a_use_case_in_use(desk)
    await measure(desk)


async def a_candidate(desk: Desk) -> None:
    """A lighthouse programme with a use case that waits."""
    builder, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    key = (await desk.hand_in(builder, at=NOW - 3 * DAY)).key
    who = Who(leader.actor, NOW - 2 * DAY)
    async with desk.sessions.begin() as session:
        made = await make_programme(
            session, who, name="Autumn", starts_on=who.at.date(), horizon_days=90, target=1
        )
        await propose(session, made.id, key, who)
        await certify(session, builder, "course", at=NOW - DAY, days=30)
        asked = Asked(
            required_of=RequiredOf.OWNER,
            kind="course",
            tier=None,
            stage=None,
            effect=Effect.BLOCKS,
            basis="A rule of the house",
            link="",
            note="",
            valid_from=NOW.date(),
        )
        await begin_requirement(
            session, asked, pathways().values(), reason="Because.", by=leader.id, at=NOW
        )


async def a_use_case_in_use(desk: Desk) -> None:
    """One in production whose users are counted, with the hours that its case took."""
    owner = await desk.person(Role.BUILDER)
    key = await in_production(desk, owner)
    await counted(desk, (key, owner), 30, 120)
    async with desk.sessions.begin() as session:
        await say_hours(session, key, owner.actor, about=About.CASE, hours=2, at=NOW)


async def measure(desk: Desk) -> None:
    """A use case in production, and what it brought in its first month."""
    owner = await desk.person(Role.BUILDER)
    case = await desk.hand_in(owner, tier=Tier.LOW, at=NOW - 100 * DAY)
    live = NOW - 90 * DAY
    await desk.does(case.use_case_id, owner, Command.GO_LIVE, at=live)
    async with desk.sessions.begin() as session:
        found = Found(
            starts=live.date(),
            ends=live.date() + 29 * DAY,
            quantity=Quantity.MONEY,
            value=9_000.0,
            method=Method.REPORT,
            source="the owner",
        )
        row = await find(session, case.key, owner.actor)
        await record(session, row, owner, found, at=NOW - DAY)


Reports = dict[Name, Report]


async def every(sessions: Sessions) -> Reports:
    """All reports, as they are at that moment."""
    async with sessions() as session:
        moment = Moment(NOW, asked=False)
        return {name: await report(session, name, moment, Question()) for name in Name}


@pytest.fixture(scope="module")
async def both(databases: Databases) -> tuple[Reports, Reports]:
    """All reports of an empty database, and of the same when it is full; none is read twice."""
    async with databases.one() as database:
        empty = await every(database.sessions)
        await fill(database.sessions)
        return empty, await every(database.sessions)


@pytest.mark.parametrize(("name", "which"), PICTURES)
def test_a_picture_is_drawn_and_said_in_words(
    both: tuple[Reports, Reports], name: Name, which: str
) -> None:
    empty, full = both[0][name], both[1][name]
    for found in (empty, full):
        svg = picture(name, found, "svg", which=which, theme=Theme.DARK)
        assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314
        assert in_words(name, found, which=which)
    assert in_words(name, empty, which=which) != in_words(name, full, which=which)


@pytest.mark.parametrize("name", list(Name))
def test_a_full_report_says_a_sentence_and_has_rows(
    both: tuple[Reports, Reports], name: Name
) -> None:
    found = both[1][name]

    assert re.fullmatch(r"[A-Z0-9].*\.", found.sentence), found.sentence
    if name is not Name.CHANGES:
        assert len(as_csv(name.of.rows(found)).splitlines()) > 1


def test_the_page_about_reports_names_all_of_them() -> None:
    page = (DOCS / "reports.md").read_text()

    assert re.findall(r"^\| `(\w+)` \| [a-z]", page, re.MULTILINE) == [name.value for name in Name]
    for name in Name:
        several = names_of(name)
        if len(several) > 1:
            assert f"`{name.value}` has {' and '.join(f'`{one}`' for one in several)}" in page
