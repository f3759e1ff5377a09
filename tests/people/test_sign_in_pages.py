"""Signing in with a link, what a browser session is worth, and who is turned away."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from service.database import Sessions
from service.domain.people import Role
from service.people.browser_sessions import (
    LONGEST_IDLE,
    LONGEST_SESSION,
    NEW_COOKIE_AFTER,
    OLD_COOKIE_FOR,
    begin_browser_session,
    digest,
    find_browser_session,
    new_cookie,
    seen,
)
from service.people.directory import change_person
from service.people.sign_in import LINK_LIFE, MOST_FAILED_PER_ADDRESS, make_link, use_link
from service.people.tables import BrowserSessionRow
from tests.kit.browsing import ORIGIN, Guest, Page, guest, stranger
from tests.kit.house import House


async def a_link(house: House, *roles: Role) -> tuple[str, str]:
    """A link for somebody new, and their name."""
    visitor = await house.visitor(*roles)
    async with house.sessions.begin() as session:
        return await make_link(
            session, visitor.person.id, at=datetime.now(UTC)
        ), visitor.person.name


def from_address(house: House, address: str) -> Guest:
    """A stranger at another address, so that what fails here limits nobody else's test."""
    made = stranger(house)
    made.http._transport.client = (address, 1)  # type: ignore[attr-defined]
    return made


async def test_a_link_signs_in_once_and_looking_at_it_does_not_use_it_up(house: House) -> None:
    secret, name = await a_link(house, Role.BUILDER)
    first, second = from_address(house, "192.0.2.1"), from_address(house, "192.0.2.1")
    for _ in range(2):
        page = await first.sees("/sign-in", link=secret)
        assert f"This link signs you in as {name}." in page.text

    inside = await first.sends(page.form("/sign-in"))
    assert inside.path == "/use-cases"
    assert name in inside.text

    late = await second.sends(page.form("/sign-in"), status=403)
    assert "it was used already, or it is too old" in late.text
    await second.sees("/sign-in", link=secret, status=403)


async def test_the_cookie_is_for_the_server_alone_and_only_a_digest_of_it_is_kept(
    house: House,
) -> None:
    secret, _ = await a_link(house, Role.BUILDER)
    somebody = stranger(house)
    page = await somebody.sees("/sign-in", link=secret)
    answer = await somebody.post("/sign-in", page.form("/sign-in").fields)

    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    assert "; HttpOnly" in cookie
    assert "; SameSite=lax" in cookie
    value = somebody.http.cookies["headway"]
    async with house.sessions() as session:
        kept = await session.execute(text("SELECT visit::text AS row FROM visit"))
        rows = " ".join(row.row for row in kept)
        assert await session.scalar(
            select(BrowserSessionRow).where(col(BrowserSessionRow.digest) == digest(value))
        )
    assert value not in rows


async def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(house: House) -> None:
    secret, _ = await a_link(house, Role.BUILDER)
    somebody = stranger(house)
    somebody.http.base_url = somebody.http.base_url.copy_with(scheme="https")
    page = await somebody.sees("/sign-in", link=secret)
    answer = await somebody.post(
        "/sign-in", page.form("/sign-in").fields, headers={"Origin": "https://headway.test"}
    )

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-headway=")
    assert "; Secure" in cookie
    assert "; Path=/" in cookie
    assert "domain" not in cookie.lower()


@pytest.mark.parametrize(
    "presented",
    ["x", "0" * 16 + "." + "a" * 43, "a" * 1500, "é" * 20, "../../etc", "%00"],
)
async def test_what_is_no_link_is_turned_away_in_plain_words(house: House, presented: str) -> None:
    somebody = from_address(house, "192.0.2.2")
    page = await somebody.sees("/sign-in", link=presented, status=403)
    assert "This link does not work" in page.text


async def test_too_many_wrong_links_from_one_address_are_stopped_and_others_are_not(
    house: House,
) -> None:
    secret, _ = await a_link(house, Role.BUILDER)
    here, there = from_address(house, "192.0.2.3"), from_address(house, "192.0.2.4")
    for _ in range(MOST_FAILED_PER_ADDRESS):
        await here.sees("/sign-in", link="0" * 16 + "." + "a" * 43, status=403)
    stopped = await here.sees("/sign-in", link=secret, status=429)
    assert "Too many sign-ins have failed: try again in 15 minutes." in stopped.text
    page = await there.sees("/sign-in", link=secret)
    await there.sends(page.form("/sign-in"))


async def test_guessing_at_one_persons_link_from_many_addresses_is_stopped(house: House) -> None:
    secret, _ = await a_link(house, Role.BUILDER)
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    for number in range(10):
        await from_address(house, f"198.51.100.{number}").sees("/sign-in", link=wrong, status=403)
    await from_address(house, "198.51.100.99").sees("/sign-in", link=wrong, status=429)


async def test_a_link_is_too_old_after_a_day(sessions: Sessions, house: House) -> None:
    visitor = await house.visitor(Role.LEADER)
    at = datetime.now(UTC)
    async with house.sessions.begin() as session:
        secret = await make_link(session, visitor.person.id, at=at)
        late = at + LINK_LIFE
        assert await use_link(session, secret, address="192.0.2.5", at=late) is None
        soon = late - timedelta(seconds=1)
        assert await use_link(session, secret, address="192.0.2.5", at=soon) == visitor.person


async def test_a_form_from_another_site_signs_nobody_in(house: House) -> None:
    secret, _ = await a_link(house, Role.BUILDER)
    somebody = stranger(house)
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN + ".elsewhere.example"},
    ):
        answer = await somebody.post("/sign-in", [("link", secret)], headers=headers)
        assert answer.status_code == 403, headers
        assert "set-cookie" not in answer.headers
    answer = await somebody.post("/sign-in", [("link", secret)])
    assert answer.status_code == 303


async def test_after_signing_in_one_goes_where_one_wanted_and_never_to_another_host(
    house: House,
) -> None:
    somebody = stranger(house)
    asked = await somebody.sees("/use-cases/UC-1")
    assert asked.path == "/sign-in"
    assert str(asked.answer.request.url).endswith("?then=%2Fuse-cases%2FUC-1")
    for then, where in (
        ("/board?limit=5", "/board?limit=5"),
        ("//elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
    ):
        secret, _ = await a_link(house, Role.LEADER)
        answer = await stranger(house).post("/sign-in", [("link", secret), ("then", then)])
        assert answer.headers["location"] == where
        assert answer.headers.get_list("set-cookie") == [answer.headers["set-cookie"]]


async def test_signing_out_ends_the_browser_session_for_every_cookie_of_it(house: House) -> None:
    somebody = await guest(house, Role.BUILDER)
    cookie = somebody.http.cookies["headway"]
    page = await somebody.sees("/use-cases")
    out = await somebody.sends(page.form("/sign-out"))
    assert out.path == "/sign-in"
    again = stranger(house)
    again.http.cookies.set("headway", cookie)
    assert (await again.sees("/use-cases")).path == "/sign-in"


async def test_signing_in_again_ends_the_browser_session_before(house: House) -> None:
    somebody = await guest(house, Role.BUILDER)
    before = somebody.http.cookies["headway"]
    secret, _ = await a_link(house, Role.LEADER)
    page = await somebody.sees("/sign-in", link=secret)
    answer = await somebody.post("/sign-in", page.form("/sign-in").fields)
    assert answer.status_code == 303
    again = stranger(house)
    again.http.cookies.set("headway", before)
    assert (await again.sees("/use-cases")).path == "/sign-in"


async def test_somebody_who_is_let_out_is_out_with_the_next_request(house: House) -> None:
    somebody = await guest(house, Role.BUILDER)
    await somebody.sees("/use-cases")
    async with house.sessions.begin() as session:
        await change_person(session, somebody.person.id, active=False)
    assert (await somebody.sees("/use-cases")).path == "/sign-in"


async def test_a_browser_session_ends_when_idle_and_in_any_case_after_its_longest(
    house: House,
) -> None:
    visitor = await house.visitor(Role.BUILDER)
    at = datetime.now(UTC)
    second = timedelta(seconds=1)
    async with house.sessions.begin() as session:
        secret = await begin_browser_session(session, visitor.person.id, at=at)
        assert await find_browser_session(session, secret, at=at + LONGEST_IDLE - second)
        assert await find_browser_session(session, secret, at=at + LONGEST_IDLE) is None
        last = at + LONGEST_SESSION - second
        await seen(session, secret, at=last)
        assert await find_browser_session(session, secret, at=last)
        assert await find_browser_session(session, secret, at=at + LONGEST_SESSION) is None


async def test_the_cookie_changes_while_the_browser_session_and_its_forms_go_on(
    house: House,
) -> None:
    visitor = await house.visitor(Role.BUILDER)
    at = datetime.now(UTC)
    async with house.sessions.begin() as session:
        old = await begin_browser_session(session, visitor.person.id, at=at)
        before = await find_browser_session(session, old, at=at)
        later = at + NEW_COOKIE_AFTER
        new = await new_cookie(session, old, at=later)
        assert new is not None
        assert await new_cookie(session, old, at=later) is None, "one request replaces it"
        after = await find_browser_session(session, new, at=later)
        assert before is not None
        assert after is not None
        assert (after.form_token, after.ends_at) == (before.form_token, before.ends_at)
        assert await find_browser_session(session, old, at=later + OLD_COOKIE_FOR / 2)
        assert await find_browser_session(session, old, at=later + OLD_COOKIE_FOR) is None


async def test_an_old_cookie_is_replaced_by_a_page_and_not_by_a_stream(house: House) -> None:
    visitor = await house.visitor(Role.BUILDER)
    async with house.sessions.begin() as session:
        secret = await begin_browser_session(
            session, visitor.person.id, at=datetime.now(UTC) - 2 * NEW_COOKIE_AFTER
        )
    somebody = stranger(house)
    somebody.http.cookies.set("headway", secret, domain="headway.test")
    silent = await somebody.http.get("/use-cases", headers={"Accept": "*/*"})
    assert "set-cookie" not in silent.headers
    answer = await somebody.http.get("/use-cases")
    assert answer.status_code == 200
    assert answer.headers["set-cookie"].startswith("headway=")
    assert somebody.http.cookies["headway"] != secret
    await somebody.sees("/use-cases")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/reports",
        "/reports/verdict/table.csv",
        "/reports/clock/clock.svg",
        "/reports/clock/clock.png",
        "/new/ahead",
        "/nothing",
        "/use-cases/UC-0",
        "/use-cases?limit=0",
    ],
)
async def test_a_new_cookie_arrives_with_whatever_is_opened_in_a_window(
    house: House, path: str
) -> None:
    visitor = await house.visitor(Role.LEADER, Role.BUILDER)
    at = datetime.now(UTC)
    async with house.sessions.begin() as session:
        secret = await begin_browser_session(
            session, visitor.person.id, at=at - 2 * NEW_COOKIE_AFTER
        )
    somebody = stranger(house)
    somebody.http.cookies.set("headway", secret, domain="headway.test")
    await somebody.http.get(path)
    async with house.sessions() as session:
        kept = somebody.http.cookies["headway"]
        assert await find_browser_session(session, kept, at=at + 2 * OLD_COOKIE_FOR) is not None


async def test_no_log_line_has_a_link_or_a_cookie(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, _ = await a_link(house, Role.BUILDER)
    somebody = stranger(house)
    answer = await somebody.post("/sign-in", [("link", secret)])
    assert answer.status_code == 303
    assert Page(answer).status == 303
    for hidden in (secret, somebody.http.cookies["headway"]):
        assert hidden not in caplog.text
