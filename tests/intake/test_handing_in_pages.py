"""Handing in on a page: what is wrong stands next to its field, and nothing typed is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.people import Role
from service.domain.tiering import Tier
from service.intake.drafts import MOST_DRAFTS, find_draft, keep_draft, list_drafts
from tests.kit.browsing import Page, guest
from tests.kit.house import House
from web.intake.handing_in import FIELDS, QUESTIONS, ahead, check

IDEA: dict[str, Any] = {
    "title": "Answer supplier questions",
    "problem": "Buyers answer the same\nforty questions every day.",
    "business_unit": "Procurement",
    "sponsor": "Chief procurement officer",
    "kpi_name": "Handling time",
    "kpi_unit": "minutes",
    "kpi_baseline": "18.5",
    "kpi_target": "9",
    "one_off_cost": "40,000",
    "yearly_run_cost": "12000",
    "expected_yearly_value": "1 180 000",
    "currency": "eur",
    **dict.fromkeys(QUESTIONS, "no"),
    "personal_data": "yes",
    "autonomy": "suggests",
    "estimate_days": "60",
}


async def test_a_use_case_is_handed_in_and_can_be_followed_at_once(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    page = await builder.sees("/new")
    assert "What is ahead" in page.text

    page = await builder.sends(page.form("/new"), **IDEA, do="send", wished_for="2027-03-31")

    assert "Handed in. You can follow it here." in page.text
    assert "1,180,000 EUR" in page.text
    assert "31 Mar 2027" in page.text
    key = page.path.rpartition("/")[2]
    seen = await builder.api.sees(f"use-cases/{key}")
    assert seen["tier"] == "medium"
    assert seen["kpi"] == {
        "name": "Handling time",
        "unit": "minutes",
        "baseline": 18.5,
        "target": 9.0,
    }
    again = await builder.sees("/new")
    assert again.form("/new").values["business_unit"] == "Procurement"
    assert again.form("/new").values["title"] == ""


async def test_sent_twice_it_is_handed_in_once(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    form = (await builder.sees("/new")).form("/new")
    first = await builder.sends(form, **IDEA, do="send")
    second = await builder.sends(form, **IDEA, do="send")
    assert first.path == second.path
    back = await builder.sees("/new", draft=form.values["draft"])
    assert back.path == first.path, "what a draft became is under its address"

    other = await builder.sends(form, **{**IDEA, "title": "Another"}, do="send", status=422)
    assert "This form was handed in before, with something else in it." in other.text
    assert other.form("/new").values["title"] == "Another"
    third = await builder.sends(other.form("/new"), do="send")
    assert third.path != first.path


async def test_what_is_wrong_stands_next_to_its_field_and_nothing_typed_is_lost(
    house: House,
) -> None:
    builder = await guest(house, Role.BUILDER)
    form = (await builder.sees("/new")).form("/new")
    typed = {
        **IDEA,
        "title": "",
        "kpi_baseline": "about nine",
        "currency": "euros",
        "estimate_days": "0",
        "wished_for": "86400",
        "problem": 'It\'s <b>bold</b> & "quoted"',
        "owner": "nobody@example.com",
    }
    del typed["regulated"]
    page = await builder.sends(form, **typed, do="send", status=422)

    wrong = {given["id"] for tag, given in page.tags if given.get("class") == "wrong"}
    assert wrong == {
        f"{name}-wrong"
        for name in (
            *("title", "kpi_baseline", "currency", "wished_for", "estimate_days", "regulated"),
        )
    }
    invalid = {
        given["name"] for tag, given in page.tags if tag == "input" and "aria-invalid" in given
    }
    assert invalid == {"title", "kpi_baseline", "currency", "wished_for", "estimate_days"}
    assert "6 things are not right yet." in page.text
    assert "It has to be more than 0." in page.text
    kept = page.form("/new").values
    for name, value in typed.items():
        assert kept[name] == value, name
    async with house.sessions() as session:
        draft = await find_draft(session, builder.person.id, kept["draft"])
    assert draft is not None
    assert draft.fields["kpi_baseline"] == "about nine"


async def test_an_owner_who_is_no_builder_is_an_error_of_that_field(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    form = (await builder.sees("/new")).form("/new")
    for name in ("owner", "co_owners"):
        typed = {**IDEA, name: enabler.person.email}
        page = await builder.sends(form, **typed, do="send", status=422)
        assert f"{enabler.person.email} is not an active builder" in page.text
        assert page.form("/new").values[name] == enabler.person.email


async def test_what_is_ahead_is_shown_before_sending_with_script_and_without(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    piece = await builder.sees("/new/ahead", regulated="yes", personal_data="no")
    assert "High risk" in piece.text
    assert "5 questions are open" in piece.text
    assert "Risk assessment" in piece.text
    assert "<html" not in piece.html
    form = (await builder.sees("/new")).form("/new")
    page = await builder.sends(form, personal_data="yes", do="check")
    assert "Medium risk so far; 6 questions are open" in page.text
    assert "it uses personal data" in page.text


async def test_drafts_are_kept_found_again_and_thrown_away(house: House) -> None:
    builder, other = await guest(house, Role.BUILDER), await guest(house, Role.BUILDER)
    form = (await builder.sees("/new")).form("/new")
    page = await builder.sends(form, title="Half an idea", do="keep")
    assert "Kept. You find it under your use cases." in page.text
    silent = await builder.post(
        "/new",
        [*page.form("/new").fields, ("sponsor", "Somebody"), ("do", "keep")],
        headers={"Headway-Page": "live"},
    )
    assert (silent.status_code, silent.content) == (204, b"")

    found = await builder.sees("/use-cases")
    (where,) = [link for link in found.attributes("a", "href") if link.startswith("/new?draft=")]
    assert "Half an idea" in found.text
    draft = urlsplit(where).query.partition("=")[2]
    again = await builder.sees("/new", draft=draft)
    assert again.form("/new").values["title"] == "Half an idea"
    assert again.form("/new").values["sponsor"] == "Somebody"
    await other.sees("/new", draft=draft, status=404)
    theirs = (await other.sees("/new")).form("/new")
    await other.sends(theirs, draft=draft, title="Mine now", do="keep")
    still = await builder.sees("/new", draft=draft)
    assert still.form("/new").values["title"] == "Half an idea"

    await builder.sends(again.form("/new"), do="drop")
    await builder.sees("/new", draft=draft, status=404)


async def test_a_draft_that_is_kept_after_it_was_handed_in_does_not_come_back(
    house: House,
) -> None:
    builder = await guest(house, Role.BUILDER)
    form = (await builder.sees("/new")).form("/new")
    await builder.sends(form, **IDEA, do="send")
    late = await builder.post("/new", [*form.fields, *IDEA.items(), ("do", "keep")])
    assert late.status_code == 200
    async with house.sessions() as session:
        assert await list_drafts(session, builder.person.id) == []


async def test_my_use_cases_are_those_that_i_own_co_own_or_handed_in(house: House) -> None:
    mine, other = await guest(house, Role.BUILDER), await guest(house, Role.BUILDER)
    both = await guest(house, Role.BUILDER, Role.LEADER)
    for_another = await mine.api.hand_in(owner=other.person.email)
    co_owned = await other.api.hand_in(co_owners=[both.person.email])
    assert for_another in (await mine.sees("/use-cases")).text
    page = await both.sees("/use-cases")
    assert co_owned in page.text
    assert for_another not in page.text
    assert for_another in (await both.sees("/use-cases", whose="all")).text


async def test_the_oldest_draft_goes_when_there_are_too_many(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    at = datetime.now(UTC)
    for number in range(MOST_DRAFTS + 2):
        async with house.sessions.begin() as session:
            await keep_draft(
                session,
                builder.person.id,
                f"{number:08x}-0000-0000-0000-{builder.person.id[-12:]}",
                {"title": str(number)},
                at=at + timedelta(seconds=number),
            )
    async with house.sessions() as session:
        kept = await list_drafts(session, builder.person.id)
    assert [draft.title for draft in kept] == [
        str(number) for number in reversed(range(2, MOST_DRAFTS + 2))
    ]


async def test_only_builders_hand_in(house: House) -> None:
    enabler = await guest(house, Role.ENABLER)
    page = await enabler.sees("/new", status=403)
    assert "Only builders hand in use cases." in page.text
    assert "/new" not in page.attributes("a", "href")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **{name: st.sampled_from(["yes", "no"]) for name in QUESTIONS},
            "autonomy": st.sampled_from(["suggests", "acts_with_approval", "acts_alone"]),
        },
    ),
    st.sampled_from(QUESTIONS),
)
def test_another_answer_never_lowers_the_tier_that_was_shown(
    answers: dict[str, str], question: str
) -> None:
    before = ahead(answers)
    if question in answers:
        return
    for answer in ("yes", "no"):
        after = ahead({**answers, question: answer})
        assert after.tiering.tier.rank >= before.tiering.tier.rank
        assert after.open_questions == before.open_questions - 1


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=40)))
def test_whatever_is_typed_is_either_handed_in_or_answered_by_field(typed: dict[str, str]) -> None:
    checked = check(typed)
    assert (checked.body is None) == bool(checked.wrong)
    assert set(checked.wrong) <= set(FIELDS)
    assert all(words.strip() for words in checked.wrong.values())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("40000", 40000.0),
        ("40,000", 40000.0),
        ("1 180 000", 1180000.0),
        ("12.5", 12.5),
        ("1,180,000.75", 1180000.75),
        ("4,00", None),
        ("4,0000", None),
        ("1e9", None),
        ("nan", None),
        ("²", None),
    ],
)
def test_a_number_is_read_as_it_was_meant_or_not_at_all(text: str, number: float | None) -> None:
    checked = check({**IDEA, "one_off_cost": text})
    if number is None:
        assert set(checked.wrong) == {"one_off_cost"}
    else:
        assert checked.body is not None
        assert checked.body.investment.one_off_cost == number


def test_the_form_offers_every_tier_the_rules_know() -> None:
    tiers = {ahead({question: "yes"}).tiering.tier for question in QUESTIONS}
    assert tiers | {ahead({}).tiering.tier} == set(Tier)


async def test_a_page_that_takes_too_much_says_so(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    form = (await builder.sees("/new")).form("/new")
    page = await builder.sends(form, **{**IDEA, "title": "x" * 201}, do="send", status=422)
    assert "Keep it under 200 characters." in page.text
    assert page.form("/new").values["title"] == "x" * 201
    answer = await builder.post("/new", [("problem", "x" * 300_000)])
    assert Page(answer).status == 413
