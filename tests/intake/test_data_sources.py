"""What data a use case reads: said in words, or not, and seen by whoever decides."""

import pytest

from service.domain.people import Role
from service.intake.drafts import find_draft
from tests.intake.test_handing_in_pages import IDEA
from tests.kit.browsing import guest
from tests.kit.house import House
from tests.kit.submission import submission

SAID = "Tickets of 2024, <all> of them.\nThe catalogue of parts."


async def test_it_is_answered_as_it_was_handed_in_and_empty_if_nothing_was_said(
    house: House,
) -> None:
    builder = await house.visitor(Role.BUILDER)
    for given, answered in (
        ({"data_sources": f" {SAID} "}, SAID),
        ({"data_sources": ""}, ""),
        ({}, ""),
    ):
        key = await builder.hand_in(**given)
        assert (await builder.sees(f"use-cases/{key}"))["data_sources"] == answered


@pytest.mark.parametrize("wrong", [5, None, ["tickets"], "x" * 5001, "\x00"])
async def test_what_is_no_text_of_a_page_is_refused(house: House, wrong: object) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.post("/v1/use-cases", json=submission(data_sources=wrong))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["data_sources"]


async def test_a_key_is_used_for_what_was_said_as_well(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    headers = {"Idempotency-Key": "once"}
    statuses = [
        (await builder.http.post("/v1/use-cases", json=submission(**said), headers=headers))
        for said in ({}, {"data_sources": ""}, {"data_sources": SAID})
    ]
    assert [answer.status_code for answer in statuses] == [201, 201, 409]


async def test_the_form_keeps_it_says_what_is_wrong_with_it_and_hands_it_in(house: House) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    form = (await builder.sees("/new")).form("/new")

    page = await builder.sends(form, data_sources=SAID, do="keep")
    kept = page.form("/new").values
    async with house.sessions() as session:
        draft = await find_draft(session, builder.person.id, kept["draft"])
    assert draft is not None
    assert draft.fields["data_sources"].split() == SAID.split()

    page = await builder.sends(form, **IDEA, data_sources="x" * 5001, do="send", status=422)
    assert [given["id"] for _, given in page.tags if given.get("class") == "wrong"] == [
        "data_sources-wrong"
    ]
    assert page.form("/new").values["data_sources"] == "x" * 5001

    page = await builder.sends(page.form("/new"), data_sources=SAID, do="send")
    assert "The catalogue of parts." in page.text
    key = page.path.rpartition("/")[2]
    assert (await builder.api.sees(f"use-cases/{key}"))["data_sources"].split() == SAID.split()
    await enabler.api.does(key, "claim")
    for seen in await enabler.sees(f"/use-cases/{key}"), await enabler.sees("/queue", whose="mine"):
        assert "Which data does it read?" in seen.text, seen.path
        assert "Tickets of 2024, <all> of them." in seen.text, seen.path


async def test_the_form_does_not_ask_for_it(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    page = await builder.sends((await builder.sees("/new")).form("/new"), **IDEA, do="send")
    assert page.path.startswith("/use-cases/UC-")
    assert "Which data does it read?" not in page.text
