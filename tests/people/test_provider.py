"""Signing in at an OpenID Connect provider: a real one over HTTP, honest and otherwise."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ssl import create_default_context
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from api.kit.context import Context
from service.domain.people import Role
from service.errors import NotAllowed
from service.people.directory import change_person, find_person
from service.people.sign_in import Claimed, check_mapping, granted, person_from_provider
from service.settings import Settings
from tests.kit.apps import app_over, reviews_beside
from tests.kit.browsing import Guest, Page
from tests.kit.house import House
from tests.people.provider import CLIENT, SECRET, TestProvider, provider
from web.app import configured_pages
from web.kit.context import Pages
from web.people.provider import configured_provider

PUBLIC = "http://headway.test"
ROLES = {"ai-builders": "builder", "ai-office": "enabler", "legal-ai": "reviewer:legal"}
TRUSTED = create_default_context()
"""Read once: to read what is trusted takes longer than to sign in."""
WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
SOMEBODY = {
    "sub": "1001",
    "email": "Olive@Example.com",
    "email_verified": True,
    "name": "Olive",
    "groups": ["ai-builders", "football"],
}


@pytest.fixture
async def idp() -> AsyncIterator[TestProvider]:
    async with provider() as made:
        yield made


def settings(idp: TestProvider, **changes: Any) -> Settings:
    """Settings for this provider."""
    given: dict[str, Any] = {
        "public_url": PUBLIC,
        "oidc_issuer": idp.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SecretStr(SECRET),
        "oidc_roles_claim": "groups",
        "oidc_roles": ROLES,
    }
    return Settings(**{**given, **changes})


def browser(house: House, pages: Pages, address: str) -> Guest:
    """A browser at an app whose people sign in at the provider."""
    app = app_over(
        Context(house.sessions, house.engine, reviews=reviews_beside(house.engine)), pages
    )
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1)),
        base_url=PUBLIC,
        headers={"Accept": "text/html"},
    )
    return Guest(http)


async def comes_back(somebody: Guest, *, then: str = "/account") -> str:
    """Go to the provider and come back as far as the address that it sends the browser to."""
    start = await somebody.http.get("/sign-in/start", params={"then": then})
    assert start.status_code == 303, start.text
    async with httpx.AsyncClient(verify=TRUSTED) as http:
        there = await http.get(start.headers["location"])
    back: str = there.headers["location"]
    assert back.startswith(f"{PUBLIC}/sign-in/back?")
    return back


async def signs_in(somebody: Guest, *, status: int = 200, then: str = "/account") -> Page:
    """The whole way; the page that follows."""
    return await somebody.sees(await comes_back(somebody, then=then), status=status)


async def test_somebody_new_comes_in_with_the_roles_of_their_groups(
    house: House, idp: TestProvider
) -> None:
    idp.claims = {**SOMEBODY, "sub": "1", "email": "new@one.example", "name": "Nia"}
    somebody = browser(house, configured_pages(settings(idp)), "203.0.113.1")
    asked = await somebody.sees("/account")
    assert asked.path == "/sign-in"
    assert "/sign-in/start?then=/account" in asked.attributes("a", "href")

    page = await signs_in(somebody)

    assert page.path == "/account"
    assert "Nia" in page.text
    assert "Builder" in page.text
    sent = idp.asked[-1]
    assert sent["response_type"] == "code"
    assert sent["code_challenge_method"] == "S256"
    assert "openid" in sent["scope"].split()
    async with house.sessions() as session:
        person = await find_person(session, "new@one.example")
    assert person.roles == {Role.BUILDER}


async def test_roles_follow_the_claims_at_each_sign_in_and_the_email_may_change(
    house: House, idp: TestProvider
) -> None:
    idp.claims = {**SOMEBODY, "sub": "2", "email": "two@one.example"}
    somebody = browser(house, configured_pages(settings(idp)), "203.0.113.2")
    await signs_in(somebody)
    idp.claims |= {"groups": ["legal-ai"], "email": "two-married@one.example"}
    page = await signs_in(browser(house, configured_pages(settings(idp)), "203.0.113.2"))
    assert "Third party (Legal)" in page.text
    async with house.sessions() as session:
        person = await find_person(session, "two@one.example")
    assert person.roles == {Role.REVIEWER}
    assert person.party == "legal"


async def test_somebody_who_is_here_already_is_known_by_a_verified_email_only(
    house: House, idp: TestProvider
) -> None:
    visitor = await house.visitor(Role.LEADER)
    idp.claims = {**SOMEBODY, "sub": "3", "email": visitor.person.email.upper()}
    idp.claims["email_verified"] = False
    pages = configured_pages(settings(idp))
    page = await signs_in(browser(house, pages, "203.0.113.3"), status=403)
    assert f"has not verified {visitor.person.email}" in page.text
    idp.claims["email_verified"] = True
    page = await signs_in(browser(house, pages, "203.0.113.3"))
    assert visitor.person.email in page.text


async def test_nobody_comes_in_without_a_role_or_after_being_let_out(
    house: House, idp: TestProvider
) -> None:
    idp.claims = {**SOMEBODY, "sub": "4", "email": "four@one.example", "groups": ["football"]}
    pages = configured_pages(settings(idp))
    page = await signs_in(browser(house, pages, "203.0.113.4"), status=403)
    assert "None of your groups gives you a role in Headway." in page.text
    idp.claims["groups"] = ["ai-office"]
    await signs_in(browser(house, pages, "203.0.113.4"))
    async with house.sessions.begin() as session:
        person = await find_person(session, "four@one.example")
        await change_person(session, person.id, active=False)
    page = await signs_in(browser(house, pages, "203.0.113.4"), status=403)
    assert "An administrator has let you out of Headway." in page.text


@pytest.mark.parametrize(
    "bend",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"azp": "another-client"},
        {"sub": None},
        {"email": None},
        {"email": ["a@b.example"]},
        {"email": "a\x00@b.example"},
        {"email": "@"},
        {"email": "x" * 250 + "@b.example"},
        {"sub": "x\x00"},
        {"sub": "x" * 256},
        {"groups": {"ai-office": True}},
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    house: House, idp: TestProvider, bend: dict[str, Any]
) -> None:
    idp.claims = {**SOMEBODY, "sub": "5", "email": "five@one.example"}
    idp.bend = bend
    # Each from an address of its own: so many that fail from one would be stopped.
    address = f"198.51.100.{uuid.uuid4().hex}"
    somebody = browser(house, configured_pages(settings(idp)), address)
    await signs_in(somebody, status=403)
    assert "headway" not in somebody.http.cookies


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (" Nia\t \x00of\u202e  Oslo ", "Nia of Oslo"),
        ("   ", "named@one.example"),
        (None, "named@one.example"),
        ("x" * 5000, "x" * 200),
    ],
)
async def test_whatever_the_provider_calls_somebody_is_stored_as_a_plain_name(
    house: House, idp: TestProvider, name: str | None, shown: str
) -> None:
    email = f"named-{uuid.uuid4().hex}@one.example"
    idp.claims = {**SOMEBODY, "sub": uuid.uuid4().hex, "email": email, "name": name}
    await signs_in(browser(house, configured_pages(settings(idp)), "203.0.113.12"))
    async with house.sessions() as session:
        person = await find_person(session, email)
    assert person.name == shown.replace("named@one.example", email)


async def test_two_browsers_may_come_for_the_first_time_at_once(house: House) -> None:
    visitor = await house.visitor(Role.BUILDER)
    claimed = Claimed(
        "https://issuer.example",
        visitor.person.id,
        visitor.person.email,
        True,
        "N",
        ("ai-builders",),
    )

    async def comes() -> str:
        async with house.sessions.begin() as session:
            person = await person_from_provider(session, claimed, ROLES, at=datetime.now(UTC))
            return person.id

    async with house.sessions.begin() as session:
        first = await person_from_provider(session, claimed, ROLES, at=datetime.now(UTC))
        second = asyncio.create_task(comes())
        async with asyncio.timeout(20), house.sessions() as other:
            while not await other.scalar(WAITS):
                await other.rollback()
    assert await second == first.id == visitor.person.id


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_an_unsigned_token_or_one_signed_with_the_public_key_is_refused(
    house: House, idp: TestProvider, algorithm: str
) -> None:
    idp.claims = {**SOMEBODY, "sub": "6", "email": "six@one.example"}
    idp.algorithm = algorithm
    page = await signs_in(
        browser(house, configured_pages(settings(idp)), "203.0.113.6"), status=403
    )
    assert "The sign-in did not succeed: start it again." in page.text


async def test_a_token_signed_with_a_key_that_is_not_the_providers_is_refused(
    house: House, idp: TestProvider
) -> None:
    idp.claims = {**SOMEBODY, "sub": "7", "email": "seven@one.example"}
    idp.published = idp.key
    idp.key = RSAKey.generate_key(2048, {"kid": idp.key.kid or ""})
    await signs_in(browser(house, configured_pages(settings(idp)), "203.0.113.7"), status=403)


async def test_a_new_key_of_the_providers_is_fetched_when_a_token_names_it(
    house: House, idp: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    idp.claims = {**SOMEBODY, "sub": "8", "email": "eight@one.example"}
    monkeypatch.setattr("web.people.provider.ASK_AGAIN_AFTER", 0.0)
    pages = configured_pages(settings(idp))
    await signs_in(browser(house, pages, "203.0.113.8"))
    idp.key = RSAKey.generate_key(2048, auto_kid=True)
    await signs_in(browser(house, pages, "203.0.113.8"))


async def test_a_state_belongs_to_one_browser_and_works_once(
    house: House, idp: TestProvider
) -> None:
    idp.claims = {**SOMEBODY, "sub": "9", "email": "nine@one.example"}
    pages = configured_pages(settings(idp))
    mine, other = (browser(house, pages, "203.0.113.9") for _ in range(2))
    back = await comes_back(mine)
    await other.sees(back, status=403)
    await comes_back(other)
    await other.sees(back, status=403)
    page = await mine.sees(back)
    assert page.path == "/account"
    await mine.sees(back, status=403)
    state = parse_qs(urlsplit(back).query)["state"][0]
    await mine.sees("/sign-in/back", state=state, code="x", status=403)
    await mine.sees("/sign-in/back", status=403)
    await mine.sees("/sign-in/back", error="access_denied", state=state, status=403)


async def test_a_provider_that_is_away_is_said_and_links_do_not_work_beside_it(
    house: House, idp: TestProvider
) -> None:
    idp.away = True
    somebody = browser(house, configured_pages(settings(idp)), "203.0.113.10")
    page = await somebody.sees("/sign-in/start", status=503)
    assert "The identity provider cannot be reached" in page.text
    wrong = browser(
        house,
        configured_pages(settings(idp, oidc_issuer="http://127.0.0.1:1")),
        "203.0.113.10",
    )
    await wrong.sees("/sign-in/start", status=503)
    answer = await somebody.post("/sign-in", [("link", "0" * 16 + "." + "a" * 43)])
    assert answer.status_code == 403
    await somebody.sees("/sign-in", link="x", status=403)


async def test_without_a_provider_there_is_no_way_to_one(house: House) -> None:
    somebody = browser(house, Pages(), "203.0.113.11")
    await somebody.sees("/sign-in/start", status=403)
    await somebody.sees("/sign-in/back", code="x", state="y", status=403)


def test_settings_that_are_not_whole_or_name_no_role_stop_the_start() -> None:
    whole: dict[str, Any] = {
        "oidc_issuer": "https://idp.example",
        "oidc_client_id": "x",
        "oidc_roles": ROLES,
        "public_url": "https://headway.example",
    }
    assert configured_provider(Settings(**whole)) is not None
    for left_out in ("oidc_client_id", "oidc_roles", "public_url"):
        with pytest.raises(ValidationError, match="HEADWAY_OIDC_ISSUER needs"):
            Settings(**{name: value for name, value in whole.items() if name != left_out})
    for wrong in (
        {"x": "boss"},
        {"x": "reviewer"},
        {"x": "enabler:legal"},
        {"x": "reviewer:builder"},
        {"x": "reviewer:Legal"},
    ):
        with pytest.raises(ValueError, match="x: "):
            check_mapping(wrong)
        with pytest.raises(ValidationError):
            Settings(**{**whole, "oidc_roles": wrong})


def test_groups_give_roles_and_one_third_party_at_most() -> None:
    found = granted(("ai-office", "ai-builders", "x"), ROLES)
    assert found.roles == {Role.ENABLER, Role.BUILDER}
    assert found.party is None
    both = {"a": "reviewer:legal", "b": "reviewer:risk"}
    assert granted(("a",), both).party == "legal"
    with pytest.raises(NotAllowed, match="legal and risk"):
        granted(("a", "b"), both)
