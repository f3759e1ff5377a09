"""Past adoptions out of a file: each row is on record afterwards, or said why it is not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cli.importing import import_adoptions as command
from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE
from service.domain.commands import Command
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.errors import BadInput, NotAllowed
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.intake.use_cases import find
from service.library.adoptions import adopt, used_by, users_of
from service.library.assets import Content, Kind, Status
from service.library.importing import Imported, PastAdoptions, import_adoptions, read_table
from service.library.store import decide_version, find_asset, propose_asset, propose_version
from service.reports.library import LibraryReport
from service.reports.question import Question
from service.reports.registry import Name, report
from tests.kit.desk import DAY, START, Desk

SOURCE = "archive.csv"
HEADER = "use_case,case_id,asset,version,adopted_at"
PUBLISHED = START - 100 * DAY
"""Of the template's first version; the second followed fifty days later, the third is a draft."""
NOW = START + 30 * DAY


def day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


async def template(sessions: Sessions, by: Person) -> None:
    content = Content(title="The template", owner=by.id, text="Text.")
    async with sessions.begin() as session:
        await propose_asset(
            session, by.actor, key="template", kind=Kind.PATTERN, content=content, at=PUBLISHED
        )
        for number in (1, 2):
            at = PUBLISHED + 50 * (number - 1) * DAY
            await propose_version(
                session, by.actor, "template", content=content, changed="More.", at=at
            )
            await decide_version(
                session, by.actor, "template", number, Status.PUBLISHED, reason="So.", at=at
            )


async def brought(
    sessions: Sessions, by: Person, rows: Sequence[str], *, before_published: bool = False
) -> Imported:
    table = read_table("\n".join([HEADER, *rows]))
    async with sessions.begin() as session:
        return await import_adoptions(
            session, by.actor, PastAdoptions(table, SOURCE, before_published), at=NOW
        )


async def test_every_row_is_on_record_or_said_why_not(
    desk: Desk, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions, ada = desk.sessions, await desk.person(Role.ENABLER)
    owner = await desk.person(Role.BUILDER)
    await template(sessions, ada)
    live = await desk.hand_in(owner, tier=Tier.LOW)
    gone = await desk.hand_in(owner)
    await desk.does(gone.use_case_id, owner, Command.WITHDRAW, at=START + 2 * DAY)
    cases = [
        Case(f"c{number}", INTAKE, "low", "", START - 90 * DAY, START - 9 * DAY, Outcome.PRODUCTION)
        for number in range(3)
    ]
    async with sessions.begin() as session:
        run = await begin_import(session, SOURCE, at=START)
        await write_cases(session, run, cases)
        await observed(session, run, START)

    early, late = day(PUBLISHED + 20 * DAY), day(PUBLISHED + 60 * DAY)
    good = [
        f"{live.key},,template,,{late}",
        f"{live.key.lower()},,TEMPLATE,1,{early}T08:00:00+02:00",
        f"{gone.key},,template,2,{day(START)}",
        f",c0,template,1,{early}",
        f",c1,template,,{early}",
        f",c1,template,,{early}",
    ]
    bad = {
        f"UC-900,,template,,{late}": 'no use case "UC-900"',
        f"c0,,template,,{late}": 'no use case "c0"',
        f",c9,template,,{late}": 'no case "c9" of "archive.csv"',
        f",,template,,{late}": "names a use case or the id of an imported case",
        f"{live.key},c0,template,,{late}": "names a use case or the id of an imported case",
        f"{live.key},,nothing,,{late}": 'no asset "nothing"',
        f"{live.key},,template,9,{late}": 'no version "9" of template',
        f"{live.key},,template,first,{late}": 'no version "first" of template',
        f"{live.key},,template,3,{late}": "version 3 of template is not published",
        f",c2,template,2,{early}": "version 2 of template was published on 2026-01-11 09:00 UTC",
        f",c2,template,,{day(PUBLISHED - DAY)}": "no version of template was published by",
        f"{live.key},,template,,{day(NOW + DAY)}": "is still to come",
        f"{live.key},,template,,soon": 'adopted_at: "soon" is no date like 2024-12-31',
        f"{live.key},,template,,": 'adopted_at: "" is no date',
        f"{live.key},,template,,0001-01-01T00:00:00+23:00": "is no date like 2024-12-31",
        f"{gone.key},,template,,{day(START + 9 * DAY)}": "had ended by then (withdrawn)",
        f"{live.key},,template": "the row has 3 cells and the header 5",
        f"{live.key},,tem\x00plate,,{late}": "holds control characters",
        f"{live.key},,{'x' * 501},,{late}": "a cell is too long",
        f",c0,template,1,{late}": f"it took that version on {early}, as is written already",
    }
    done = await brought(sessions, ada, [*good, *bad])
    assert (done.read, done.accepted, done.rejected) == (26, 6, 20)
    assert (done.new, done.known) == (5, 1)
    for one, (row, reason) in zip(done.unusable, bad.items(), strict=True):
        assert reason in one.reason, row

    again = await brought(sessions, ada, [*good, *bad])
    assert (again.new, again.known, again.rejected) == (0, 6, 20)
    older = [f",c2,template,,{day(PUBLISHED - 40 * DAY)}"]
    assert (await brought(sessions, ada, older, before_published=True)).new == 1
    with pytest.raises(NotAllowed):
        await brought(sessions, owner, good)

    # By the command, which keeps what it could not use.
    (path := tmp_path / "past.csv").write_text("\n".join([HEADER, *good, *bad]))
    monkeypatch.setenv("HEADWAY_DATABASE_URL", database_url)
    assert await command(path, ada.email, SOURCE, None, before_published=False) == 0
    kept = (tmp_path / "past.rejects.csv").read_text().splitlines()
    assert len(kept) == 21
    assert kept[0] == f"reject_line,reject_reason,{HEADER}"
    assert kept[1].startswith('8,"there is no use case ""UC-900""",UC-900,,template,,')

    async with sessions() as session:
        [used] = await used_by(session, live.use_case_id)
        made = await report(session, Name.LIBRARY, Moment(NOW, asked=True), Question())
    assert [(one.number, one.imported_at) for one in used.adoptions] == [(1, NOW), (2, NOW)]
    assert isinstance(made, LibraryReport)
    assert (made.read, made.accepted, made.assets[0].adopters) == (6, 6, 5)
    assert "Adopted before the start, and with it from the start on: 3 cases." in made.notes


async def test_what_was_taken_before_is_not_what_is_used_now(desk: Desk) -> None:
    """Brought in later, taken earlier: the newer version goes on to be the one that is used."""
    sessions, ada = desk.sessions, await desk.person(Role.ENABLER)
    await template(sessions, ada)
    use_case = await desk.hand_in(await desk.person(Role.BUILDER))
    async with sessions.begin() as session:
        row = await find(session, use_case.key, ada.actor)
        await adopt(session, row, ada.actor, "template", at=START + DAY)
    early = day(PUBLISHED + 20 * DAY)
    await brought(sessions, ada, [f"{use_case.key},,template,1,{early}"])
    async with sessions.begin() as session:
        row = await find(session, use_case.key, ada.actor)
        _, version = await adopt(session, row, ada.actor, "template", at=START + 2 * DAY)
        [used] = await used_by(session, row.id)
        users = await users_of(session, await find_asset(session, "template"), ada.actor)
    assert (version.number, used.now.number, len(used.adoptions)) == (2, 2, 2)
    assert used.now.at == START + timedelta(days=1)
    assert users.by_version == {2: 1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing columns: adopted_at, asset, use_case or case_id"),
        ("use_case;adopted_at\nUC-1;2024-01-01\n", "missing columns: asset"),
        ("asset,adopted_at\nx,2024-01-01\n", "missing columns: use_case or case_id"),
        ("use_case,asset,adopted_at,ASSET\n", "columns that are there twice: asset"),
        ("use_case,asset,adopted_at\n\n , ,\n", "there is no adoption in it"),
        ('use_case,asset,adopted_at\nUC-1,"x,2024-01-01\n', "line 2: unexpected end of data"),
        ("use_case,asset,adopted_at\n" + "UC-1,x,2024-01-01\n" * 20_001, "20,000 at most"),
    ],
)
def test_a_file_that_is_none(text: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_table(text)
    assert reason in str(refused.value)


def test_a_row_has_the_line_on_which_it_begins() -> None:
    table = read_table('\ufeffAsset\tuse_case\tadopted_at\n"a\nb"\tUC-1\tx\n\nc\tUC-2\ty\n')
    assert [(one.number, one.said["use_case"]) for one in table.lines if one.said] == [(5, "UC-2")]
    assert [one.number for one in table.lines] == [2, 5]
