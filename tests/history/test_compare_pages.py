"""Comparing a file: read as somebody says, judged without being stored, brought in if wanted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from service.database import reading
from service.domain.people import Role
from service.facts.tables import CaseVersionRow
from tests.kit.browsing import ORIGIN, Guest, Page, guest
from tests.kit.house import House
from web.history import compare
from web.history.files import KEPT_FOR, MOST_FILES, Files, TooManyFiles
from web.kit.forms import TOKEN
from web.kit.page import HEADERS

EVIL = "<script>alert(1)</script>"
HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"


def history(cases: int = 60) -> bytes:
    """Two cohorts, the intake half as fast; the last row cannot be used."""
    rows = [HEADER]
    begun = date(2024, 1, 1)
    for number in range(cases):
        start, days = begun + timedelta(days=3 * number), 60 + 7 * number % 90
        rows.append(
            f"b{number},before,standard,Claims,{start},{start + timedelta(days)},production"
        )
        end = start + timedelta(days // 2)
        rows.append(f"i{number},intake,standard,Claims,{start},{end},production")
    return "\n".join([*rows, "x,intake,standard,Claims,soon,,open", ""]).encode()


async def brings(
    somebody: Guest, content: bytes, name: str = "history.csv", *, status: int = 200
) -> Page:
    """Drop a file; the page that follows."""
    token = (await somebody.sees("/compare")).form("/compare").values[TOKEN]
    answer = await posts(somebody, content, name, token)
    while answer.is_redirect:
        answer = await somebody.http.get(answer.headers["location"])
    assert answer.status_code == status, answer.text
    return Page(answer)


async def posts(somebody: Guest, content: bytes, name: str, token: str) -> httpx.Response:
    """Send the form with a file."""
    return await somebody.http.post(
        "/compare",
        data={TOKEN: token},
        files={"file": (name, content, "text/csv")},
        headers={"Origin": ORIGIN},
    )


async def until_done(somebody: Guest, page: Page) -> Page:
    """Reload the page until nothing is being done, as it does by itself."""
    async with asyncio.timeout(60):
        while "data-progress" in page.html:
            page = await somebody.sees(page.path)
    return page


async def cases_of(house: House, source: str) -> int:
    """How many cases of a source there are."""
    async with reading(house.sessions) as session:
        found = await session.scalar(
            select(func.count()).where(CaseVersionRow.source == source)  # type: ignore[arg-type]
        )
    return found or 0


async def test_a_file_with_our_columns_is_compared_and_nothing_is_stored(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    page = await brings(leader, history())
    assert "All 121 rows: 120 can be used, 1 cannot." in page.text
    assert "soon" in page.text

    page = await until_done(leader, await leader.sends(page.form(page.path), do="compare"))

    assert "Intake compresses time-to-production" in page.text
    picture = await leader.http.get(f"{page.path}/survival.svg?theme=dark")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert (await leader.http.get(f"{page.path}/survival.png")).content[:4] == b"\x89PNG"
    assert "standard" in (await leader.http.get(f"{page.path}/table.csv")).text
    rejects = await leader.http.get(f"{page.path}/rejects.csv")
    assert rejects.text.startswith("reject_line,reject_reason,case_id")
    assert rejects.headers["content-disposition"].startswith("attachment")
    assert await cases_of(house, "history.csv") == 0


async def test_columns_of_other_names_are_chosen(house: House) -> None:
    leader = await guest(house, Role.ENABLER)
    text = history().replace(HEADER.encode(), b"No;Group;Class;Dept;Begun;Done;State")
    text = text.replace(b",", b";").replace(b"production", b"Live").replace(b"open", b"under way")
    page = await brings(leader, text)
    assert page.form(page.path).values["delimiter"] == ";"
    assert "Which column is which?" in page.text

    chosen: dict[str, Any] = {
        **{"case_id": "No", "cohort": "Group", "tier": "Class", "business_unit": "Dept"},
        **{"started_at": "Begun", "ended_at": "Done", "outcome": "State"},
        **{"is_production": "live, done", "is_open": "under way"},
    }
    page = await leader.sends(page.form(page.path), do="look", **chosen)
    assert "120 can be used, 1 cannot." in page.text
    assert 'column = "Begun"' in page.html.replace("&#34;", '"')
    page = await until_done(leader, await leader.sends(page.form(page.path), do="compare"))
    assert "Intake compresses" in page.text


async def test_what_was_typed_stays_when_something_is_wrong(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    page = await brings(leader, history())
    form = page.form(page.path)
    mistakes: tuple[dict[str, Any], ...] = (
        {"tau": "many"},
        {"tau": "nan"},
        {"as_of": "soon"},
        {"case_id": ""},
        {"way": "own", "own": "[cohort"},
        {"way": "own", "own": '[case_id]\ncolumn = "nowhere"'},
        {"intake": "x" * 501},
        {"encoding": "klingon"},
        {"delimiter": "xx"},
    )
    for wrong in mistakes:
        page = await leader.sends(form, do="compare", status=422, **wrong)
        assert any(given.get("class") == "wrong" for _, given in page.tags) or "bad" in page.html
        if not {"encoding", "delimiter", "intake"} & set(wrong):
            kept = page.form(page.path).values
            assert {name: kept[name] for name in wrong} == wrong
    page = await leader.sends(form, do="compare", baseline="nobody")
    page = await until_done(leader, page)
    assert "there is no cohort" in page.text.lower()
    assert page.form(page.path).values["baseline"] == "nobody"


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (".".join("a" * 49_000) + " = 1", "under 65536 characters"),
        ("snapshot = " + "9" * 90_000, "under 65536 characters"),
        (".".join("a" * 30_000) + " = 1", "a key has more than 20 parts"),
        ("snapshot = " + "9" * 60_000, "longer than a number"),
    ],
)
async def test_a_map_that_would_hold_up_everything_is_refused(
    house: House, own: str, says: str
) -> None:
    leader = await guest(house, Role.LEADER)
    form = (page := await brings(leader, history())).form(page.path)

    refused = await leader.sends(form, do="compare", status=422, way="own", own=own)

    assert says in refused.text
    done = await until_done(leader, await leader.sends(form, do="compare"))
    assert "Intake compresses" in done.text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not empty"),
        (b"\n\n\n", "is empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\x1f\x8brest", "compressed"),
        (b"a,b\0c\n1,2\n", "NUL"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "NUL"),
        (b",".join([b"c"] * 1001), "more than 1000 columns"),
        (b'"' + b"x" * 200_000, "no header"),
    ],
)
async def test_what_is_no_table_is_said_next_to_the_field(
    house: House, content: bytes, says: str
) -> None:
    leader = await guest(house, Role.LEADER)
    page = await brings(leader, content, status=422)
    assert says in page.text
    assert "/headway-files" not in page.html
    assert ("p", {"class": "wrong", "id": "wrong", "tabindex": "-1"}) in page.tags


async def test_a_file_that_is_too_large_is_not_read_to_its_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = await guest(house, Role.LEADER)
    monkeypatch.setattr(compare, "LARGEST_FILE", 1000)
    token = (await leader.sees("/compare")).form("/compare").values[TOKEN]
    sent = 0

    async def endless() -> object:
        nonlocal sent
        head = f'--x\r\nContent-Disposition: form-data; name="{TOKEN}"\r\n\r\n{token}\r\n--x\r\n'
        head += 'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        yield head.encode()
        while sent < 50_000_000:
            sent += 65_536
            yield b"a,b\n" * 16_384

    answer = await leader.http.post(
        "/compare",
        content=endless(),  # type: ignore[arg-type]
        headers={"Origin": ORIGIN, "Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 413
    assert "The file is larger than" in answer.text
    assert sent < 1_000_000
    assert (await posts(leader, b"a,b\n" * 300, "a.csv", token)).status_code == 413


async def test_a_fault_of_ours_while_comparing_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = await guest(house, Role.LEADER)
    page = await brings(leader, history())

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Files, "compare", broken)
    page = await until_done(leader, await leader.sends(page.form(page.path), do="compare"))
    assert "Comparing failed, and should not have." in page.text


@pytest.mark.parametrize("charset", ["undefined", "punycode", "utf-16", "nothing"])
async def test_a_form_in_letters_of_another_kind_brings_nothing_or_is_read(
    house: House, charset: str
) -> None:
    leader = await guest(house, Role.LEADER)
    token = (await leader.sees("/compare")).form("/compare").values[TOKEN]
    body = f'--x\r\nContent-Disposition: form-data; name="{TOKEN}"\r\n\r\n{token}\r\n--x\r\n'
    body += 'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\r\n--x--\r\n'
    answer = await leader.http.post(
        "/compare",
        content=body,
        headers={
            "Origin": ORIGIN,
            "Content-Type": f"multipart/form-data; charset={charset}; boundary=x",
        },
    )
    assert answer.status_code in {303, 403, 422}


async def test_what_brings_no_file_is_not_read_to_its_end_either(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b"a" * 65_536

    answer = await leader.http.post(
        "/compare",
        content=endless(),
        headers={"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    assert sent < 1_000_000


async def test_whatever_a_file_says_stays_words(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    evil = history().replace(b"Claims", EVIL.encode()).replace(b"x,intake", f"{EVIL},in".encode())
    evil = evil.replace(b"standard", b"=cmd|' /C calc'!A0")
    page = await brings(leader, evil, f'../../"{EVIL}\n.csv')
    done = await until_done(leader, await leader.sends(page.form(page.path), do="compare"))
    for one in (page, done):
        assert EVIL not in one.html
        for name, value in HEADERS.items():
            assert one.answer.headers[name] == value
        assert not any("style" in given for _, given in one.tags)
    table = await leader.http.get(f"{done.path}/table.csv")
    assert "'=cmd" in table.text


async def test_a_file_is_for_the_sign_in_that_brought_it_and_for_an_hour(house: House) -> None:
    leader, other = await guest(house, Role.LEADER), await guest(house, Role.LEADER)
    page = await brings(leader, history())
    await other.sees(page.path, status=404)
    files = house.app.state.pages.the(Files)
    [kept] = [one for one in files._brought.values() if page.path.endswith(one.id)]
    again = await brings(leader, history(2))
    assert not kept.path.exists()
    await leader.sees(page.path, status=404)

    [kept] = [one for one in files._brought.values() if again.path.endswith(one.id)]
    kept.used_at -= KEPT_FOR + timedelta(minutes=1)
    await leader.sees(again.path, status=404)
    assert not kept.path.exists()

    page = await brings(leader, history(2))
    page = await leader.sends(page.form(page.path), do="forget")
    assert page.path == "/compare"


async def test_no_more_files_are_kept_than_there_is_room_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = await guest(house, Role.LEADER)

    def full(*_: object) -> Path:
        raise TooManyFiles

    monkeypatch.setattr(house.app.state.pages.the(Files), "room", full)
    page = await brings(leader, history(1), status=503)
    assert "Too many files" in page.text
    assert MOST_FILES == 20


async def test_builders_and_other_peoples_forms_bring_nothing(house: House) -> None:
    builder, leader = await guest(house, Role.BUILDER), await guest(house, Role.LEADER)
    await builder.sees("/compare", status=403)
    token = (await leader.sees("/compare")).form("/compare").values[TOKEN]
    assert (await posts(builder, history(), "a.csv", token)).status_code == 403
    assert (await posts(leader, history(), "a.csv", "x")).status_code == 403
    assert "/compare" not in (await builder.sees("/use-cases")).attributes("a", "href")


async def test_an_administrator_brings_a_baseline_in_and_the_reports_know_it(house: House) -> None:
    leader, admin = await guest(house, Role.LEADER), await guest(house, Role.ADMIN)
    page = await brings(leader, history(), "mine.csv")
    assert "Bring it in" not in page.text
    await leader.sends(page.form(page.path), do="import", source="mine.csv", status=403)

    page = await brings(admin, history(), "archive-2024.csv")
    form = page.forms[-2]
    assert form.values["source"] == "archive-2024.csv"
    wrong = await admin.sends(form, do="import", source=" ", status=422)
    assert "Write a name" in wrong.text
    page = await until_done(admin, await admin.sends(form, do="import", as_cohort="archive"))
    assert "archive-2024.csv is in: 120 new, 0 updated, 1 rejected." in page.text
    assert await cases_of(house, "archive-2024.csv") == 120
    report = await leader.http.get("/reports/verdict?cohort=archive&baseline=intake")
    assert report.status_code == 200
    page = await until_done(
        admin, await admin.sends(page.forms[-2], do="import", as_cohort="archive")
    )
    assert "0 new, 120 updated" in page.text


def tracker(cases: int = 160) -> bytes:
    """What a tracker exports: no unit, no tier, and a blank resolution where a case is open."""
    rows = ["Issue key,Route,Created,Resolved,Resolution"]
    begun = date(2024, 1, 1)
    for number in range(cases):
        start, days = begun + timedelta(days=number), 20 + 7 * number % 60
        end, how = (start + timedelta(days), "Fixed") if number % 4 else ("", "")
        rows.append(f"b{number},before,{start},{end},{how}")
        rows.append(f"i{number},intake,{start},{end},{how}")
    return "\n".join(rows).encode()


async def test_a_blank_outcome_without_an_end_is_open(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    page = await brings(leader, tracker())
    chosen: dict[str, Any] = {
        **{"case_id": "Issue key", "cohort": "Route", "started_at": "Created"},
        **{"ended_at": "Resolved", "outcome": "Resolution", "is_production": "Fixed"},
    }
    page = await leader.sends(page.form(page.path), do="look", **chosen)
    assert "All 320 rows: 320 can be used, 0 cannot." in page.text
    assert "Still open" in page.text
    page = await until_done(leader, await leader.sends(page.form(page.path), do="compare"))
    found = house.app.state.pages.the(Files)._brought[page.path.rsplit("/", 1)[-1]].verdict
    assert found is not None
    assert (found.accepted, found.rejected) == (320, 0)
    assert found.arms["before"].open == 40


async def test_dates_the_other_way_round_are_said_next_to_the_first_rows(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    rows = [HEADER]
    rows += [f"{n},before,low,,1/{n}/2024,2/{n}/2024,production" for n in range(1, 28)]
    rows += [f"i{n},intake,low,,1/{n}/2024,2/{n}/2024,production" for n in range(1, 28)]
    page = await brings(leader, "\n".join(rows).encode())
    page = await leader.sends(page.form(page.path), do="look", dates="%d/%m/%Y")
    assert "with the month first (%m/%d/%Y) all dates can be read" in page.text
    page = await until_done(leader, await leader.sends(page.form(page.path), do="compare"))
    assert "so that no verdict rests on it" in page.text
    before = page.text.index("so that no verdict rests on it")
    assert before < page.text.index("nothing of it is stored"), "it is said before the verdict"
    page = await leader.sends(page.form(page.path), do="look", dates="%m/%d/%Y")
    assert "all dates can be read" not in page.text
    assert "54 can be used, 0 cannot" in page.text


async def test_columns_that_few_files_have_are_chosen_too(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    rows = [f"{HEADER},Guess,known_from", "1,before,low,,2024-01-01,,open,soon,2024-01-05"]
    page = await brings(leader, "\n".join(rows).encode())
    assert page.form(page.path).values["known_from"] == "known_from"
    page = await leader.sends(page.form(page.path), do="look", estimate_days="Guess")
    assert "0 can be used, 1 cannot. The reasons: 1 for the estimate." in page.text
