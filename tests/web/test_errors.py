"""When something is away, or has happened meanwhile: pages that say so, with nothing lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api.kit.context import Context, now
from service.database import Sessions, open_sessions
from service.domain.people import Role
from service.intake.engine import Engine
from tests.api.test_engines_away import no_temporal
from tests.kit.apps import app_over, reviews_beside
from tests.kit.browsing import Guest, Page, guest
from tests.kit.house import House
from tests.kit.stories import act, staged
from web.kit.context import Pages
from workflows.intake.dispatcher import TemporalEngine


def elsewhere(
    somebody: Guest, sessions: Sessions, engine: Engine, clock: Callable[[], datetime] = now
) -> Guest:
    """The same browser at an app over these engines."""
    app = app_over(Context(sessions, engine, clock, reviews=reviews_beside(engine)), Pages())
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=somebody.http.base_url,
        headers=somebody.http.headers,
        cookies=somebody.http.cookies,
    )
    return replace(somebody, http=http)


async def test_without_temporal_pages_are_read_handing_in_works_and_words_are_kept(
    house: House,
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    there = elsewhere(enabler, house.sessions, await no_temporal())
    page = await there.sees(f"/use-cases/{key}")
    page = await there.sends(page.form("ask"), reason="Which data?", status=503)
    assert "The engine cannot be reached just now. Nothing is lost" in page.text
    form = page.form("ask")
    assert form.values["reason"] == "Which data?"

    # Pressed again when it is back: once, under the same key.
    for _ in range(2):
        await enabler.sends(form)
    steps = (await enabler.api.sees(f"use-cases/{key}/transitions"))["items"]
    assert [step["command"] for step in steps] == ["submit", "ask"]


async def test_a_decision_that_is_not_confirmed_says_so_and_can_be_pressed_again(
    house: House, client: Client
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    slow = TemporalEngine(client, f"own-{builder.person.id}", decision_timeout=0.5)
    key = await staged(house.sessions, builder.person, [], days_ago=1)
    there = elsewhere(enabler, house.sessions, slow)
    page = await there.sees(f"/use-cases/{key}")
    form = page.form("claim")
    page = await there.sends(form, status=503)
    assert "This is not confirmed yet" in page.text
    again = page.form("claim")
    assert again.values["idempotency_key"] == form.values["idempotency_key"]


async def test_without_a_database_every_page_says_so(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    async with open_sessions(url, pool=1) as sessions:
        there = elsewhere(builder, sessions, house.engine)
        for path in ("/use-cases", "/new", "/", "/use-cases/UC-1"):
            page = await there.sees(path, status=503)
            assert "The database cannot be reached just now" in page.text
            assert int(page.answer.headers["retry-after"]) > 0


async def test_a_fault_of_ours_is_a_page_without_details(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*given: object, **more: object) -> Any:
        raise RuntimeError("this cannot be")

    builder = await guest(house, Role.BUILDER)
    there = elsewhere(builder, house.sessions, house.engine)
    monkeypatch.setattr("web.intake.use_cases.list_use_cases", broken)
    page = await there.sees("/use-cases", status=500)
    assert "Something failed that should not have" in page.text
    assert "this cannot be" not in page.html


async def test_when_something_has_happened_meanwhile_the_page_says_so_and_keeps_the_words(
    house: House,
) -> None:
    builder = await guest(house, Role.BUILDER)
    first, second = await guest(house, Role.ENABLER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    old = await first.sees(f"/use-cases/{key}")
    await second.api.does(key, "ask", reason="Which data?")
    page = await first.sends(old.form("decline"), reason="Not worth it.", status=409)
    assert "Something has happened meanwhile." in page.text
    assert "Not worth it." in page.text, "its form is gone, its words are not"
    old = await second.sees(f"/use-cases/{key}")
    await builder.api.does(key, "answer", reason="All of it.")
    page = await second.sends(old.form("park"), reason="For now.", status=409)
    assert page.form("park").values["reason"] == "For now."
    page = await second.sends(page.form("park"))
    assert "Parked." in page.text


async def test_who_claims_at_the_same_moment_and_is_not_first_is_told_in_plain_words(
    house: House,
) -> None:
    builder = await guest(house, Role.BUILDER)
    enablers = [await guest(house, Role.ENABLER) for _ in range(4)]
    key = await builder.api.hand_in()
    forms = [(await one.sees(f"/use-cases/{key}")).form("claim") for one in enablers]
    answers = await asyncio.gather(
        *(one.post(form.action, form.fields) for one, form in zip(enablers, forms, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            assert "Something has happened meanwhile." in Page(answer).text
            assert "sequence" not in Page(answer).text.lower()


async def test_a_reminder_between_look_and_decision_does_not_stand_in_the_way(
    house: House,
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    # Far over its target: as soon as the engine takes it over, it reminds and escalates.
    key = await staged(house.sessions, builder.person, [], days_ago=30)
    form = (await enabler.sees(f"/use-cases/{key}")).form("claim")
    await enabler.api.does(key, "attach", evidence_kind="note", evidence_reference="x")
    looked = await enabler.sees(f"/use-cases/{key}")
    steps = (await enabler.api.sees(f"use-cases/{key}/transitions"))["items"]
    assert form.values["sequence"] == "1"
    stale = await enabler.sends(form, status=409)
    assert "Something has happened meanwhile." in stale.text
    assert len(steps) >= 2
    page = await enabler.sends(looked.form("claim"))
    assert "Taken up." in page.text


async def test_a_use_case_is_found_by_its_id_and_in_any_case(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in()
    seen = await builder.api.sees(f"use-cases/{key}")
    for name in (seen["id"], key.lower()):
        assert (await builder.sees(f"/use-cases/{name}")).path == f"/use-cases/{key}"


async def test_methods_that_a_page_does_not_know_are_answered_with_what_is(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    answer = await builder.http.put("/use-cases")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert "This cannot be done here" in answer.text


async def test_the_clock_of_an_ended_case_stands_still_and_its_parts_are_the_whole(
    house: House,
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    one, other = builder.person, enabler.person
    key = await staged(
        house.sessions,
        one,
        [
            act(other, "claim", 24),
            act(other, "ask", 24, reason="Which?"),
            act(one, "answer", 24, reason="All."),
            act(other, "decline", 24, reason="No."),
        ],
        days_ago=10,
    )
    page = await builder.sees(f"/use-cases/{key}")
    assert "It was declined on " in page.text
    assert "it took 4 days" in page.text
    assert "Builder 1 day 25% · all of it waiting" in page.text
    assert "Enablement 3 days 75% · 1 day of it waiting" in page.text
    widths = [
        float(given["width"].rstrip("%"))
        for tag, given in page.tags
        if tag == "rect" and given.get("class") == "piece" and given.get("height") == "28"
    ]
    assert sum(widths) == pytest.approx(100)
