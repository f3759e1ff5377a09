"""The report from the database says what the same cases say as a file, as known on a day."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE
from service.domain.commands import Command
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.errors import BadInput
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.intake.use_cases import find
from service.library.adoptions import adopt, adopt_imported
from service.library.assets import Asset, Content, Kind, Status
from service.library.effects import as_json, effects
from service.library.store import decide_version, propose_asset
from service.measure.adoptions import Adoptions
from service.measure.cases import of
from service.reports.library import LibraryReport
from service.reports.question import Question
from service.reports.registry import Name, report
from tests.kit.desk import DAY, START, Desk

FIRST = START - 600 * DAY
SOURCE = "archive"


async def asset(sessions: Sessions, by: Person, key: str) -> Asset:
    content = Content(title=f"The {key}", owner=by.id, text="Text.")
    async with sessions.begin() as session:
        await propose_asset(
            session, by.actor, key=key, kind=Kind.PATTERN, content=content, at=FIRST
        )
        return await decide_version(
            session, by.actor, key, 1, Status.PUBLISHED, reason="So.", at=FIRST
        )


async def found(
    sessions: Sessions, moment: Moment, question: Question | None = None
) -> LibraryReport:
    async with sessions() as session:
        made = await report(session, Name.LIBRARY, moment, question or Question())
    assert isinstance(made, LibraryReport)
    return made


def drawn_cases(size: int) -> tuple[list[Case], dict[str, datetime]]:
    """Cases that take half as long from adopting on, and when they adopted."""
    rng = np.random.default_rng(7)
    cases, adopted = [], {}
    for number in range(size):
        start = FIRST + timedelta(days=float(rng.uniform(0, 300)))
        days, age = float(rng.exponential(40.0)) + 1.0, float(rng.exponential(25.0))
        if age < days:
            adopted[f"c{number}"] = start + timedelta(days=age)
            days = age + (days - age) / 3.0
        tier = ("low", "high")[number % 2]
        is_open = number % 9 == 0
        end = None if is_open else start + timedelta(days=days)
        outcome = Outcome.OPEN if is_open else Outcome.PRODUCTION
        cases.append(Case(f"c{number}", INTAKE, tier, "Sales", start, end, outcome))
    return cases, adopted


async def test_it_says_what_a_file_of_the_same_cases_says(desk: Desk) -> None:
    sessions, ada = desk.sessions, await desk.person(Role.ENABLER)
    good, rare = await asset(sessions, ada, "good"), await asset(sessions, ada, "rare")
    cases, adopted = drawn_cases(160)
    few = dict(list(adopted.items())[:5])
    async with sessions.begin() as session:
        run = await begin_import(session, SOURCE, at=START)
        await write_cases(session, run, cases)
        await observed(session, run, START)
        for one, taken in ((good, adopted), (rare, few)):
            rows = [(case_id, 1, at) for case_id, at in taken.items()]
            await adopt_imported(session, one, SOURCE, rows, by=ada.id, sample=False)
        # Of a case that is not in the cohort.
        await adopt_imported(session, good, SOURCE, [("gone", 1, START)], by=ada.id, sample=False)

    made = await found(sessions, Moment(START, asked=True))
    columns = of(cases, START)
    expected = effects(
        columns,
        [
            Adoptions(
                name,
                np.array([number for number, one in enumerate(cases) if one.case_id in taken]),
                np.array(
                    [
                        (taken[one.case_id] - one.started_at) / DAY
                        for one in cases
                        if one.case_id in taken
                    ]
                ),
            )
            for name, taken in (("good", adopted), ("rare", few))
        ],
    )
    theirs = {one.asset: one.as_json() for one in made.assets}
    for row in as_json(expected):
        ours = theirs[str(row["asset"])]
        for name in ("adopters", "verdict", "naive", "time_dependent", "mantel_byar", "landmark"):
            assert ours[name] == row[name], (row["asset"], name)
    assert [one.asset for one in made.assets] == ["good", "rare"]
    assert made.assets[0].verdict == "helps"
    assert made.sentence == (
        "2 assets are in use: 1 helps (The good), of 1 nothing can be said yet."
    )
    counts = (made.cases, made.read, made.accepted, made.rejected)
    assert counts == (160, len(adopted) + 6, len(adopted) + 5, 1)
    assert "5 cases adopted it, and 8 are needed" in made.assets[1].sentence

    # As it was known earlier, and of a part.
    early = await found(sessions, Moment(FIRST + 60 * DAY, asked=True))
    assert 0 < early.assets[0].adopters < made.assets[0].adopters
    part = await found(sessions, Moment(START, asked=True), Question(tier="low"))
    assert 0 < part.cases < made.cases
    with pytest.raises(BadInput):
        await found(
            sessions,
            Moment(START, asked=True),
            Question(cohort="intake[evidence=approved-pattern]"),
        )


async def test_a_live_use_case_is_with_it_from_the_moment_that_it_adopts(desk: Desk) -> None:
    sessions, ada, owner = (
        desk.sessions,
        await desk.person(Role.ENABLER),
        await desk.person(Role.BUILDER),
    )
    await asset(sessions, ada, "good")
    early, late = [
        (await desk.hand_in(owner, tier=Tier.LOW, at=START)).use_case_id for _ in range(2)
    ]
    await desk.does(late, owner, Command.GO_LIVE, at=START + 2 * DAY)
    for use_case, day in ((early, 3), (late, 5)):
        async with sessions.begin() as session:
            row = await find(session, use_case, owner.actor)
            await adopt(session, row, owner.actor, "good", at=START + day * DAY)

    for asked in (True, False):
        made = await found(sessions, Moment(START + 6 * DAY, asked=asked))
        [one] = made.assets
        assert (made.cases, made.read, made.accepted, one.adopters) == (2, 2, 2, 1)
        assert "Adopted after the end, and without it all the time: 1 case." in made.notes
    before = await found(sessions, Moment(START + 2.5 * DAY, asked=True))
    assert before.assets == ()
    assert before.sentence == "No asset of the library has been adopted yet."
