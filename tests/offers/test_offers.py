"""Offers: for whom they are, the last place, what is told, what became of them."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.database import Sessions
from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.errors import Conflict
from service.facts.as_of import Moment
from service.intake.use_cases import find
from service.offers.offers import (
    HANDING_IN,
    Answer,
    Change,
    Content,
    ForRole,
    Kind,
    Made,
    Per,
    week_of,
)
from service.offers.store import answer, asked_of, change_offer, find_offer, make_offer, offers_of
from service.offers.uptake import Count, uptake
from service.people.directory import change_person
from tests.kit.browsing import guest
from tests.kit.desk import DAY, START, Desk
from tests.kit.house import House, Visitor

BODY: dict[str, Any] = {
    "kind": "clinic",
    "title": "An hour with the evaluation team",
    "text": "We go through your test cases.",
    "role": "owner",
    "tiers": ["medium"],
    "moment": "handing_in",
}


def content(giver: Person, **changes: Any) -> Content:
    fields: dict[str, Any] = {
        "kind": Kind.CLINIC,
        "title": "Clinic",
        "text": "An hour.",
        "role": ForRole.OWNER,
        "moment": HANDING_IN,
        "giver": giver.id,
        "valid_from": START.date() - timedelta(days=9),
    }
    return Content(**{**fields, **changes})


async def offered(sessions: Sessions, by: Person, at: datetime = START, **changes: Any) -> int:
    async with sessions.begin() as session:
        return (await make_offer(session, by.actor, content(by, **changes), at=at)).number


async def says(
    sessions: Sessions, use_case: str, by: Person, number: int, said: Answer, *, at: datetime
) -> Made:
    async with sessions.begin() as session:
        row = await find(session, use_case, by.actor)
        return await answer(session, row, by.actor, number, said, at=at)


@pytest.mark.parametrize(
    ("tier", "moment", "day", "fits"),
    [
        (Tier.LOW, "build", date(2026, 3, 1), True),
        (Tier.LOW, "build", date(2026, 3, 31), True),
        (Tier.HIGH, "build", date(2026, 3, 1), False),
        (Tier.LOW, HANDING_IN, date(2026, 3, 1), False),
        (Tier.LOW, "build", date(2026, 2, 28), False),
        (Tier.LOW, "build", date(2026, 4, 1), False),
    ],
)
def test_it_is_for_a_tier_at_a_moment_on_its_days(
    tier: Tier, moment: str, day: date, *, fits: bool
) -> None:
    offer = Content(
        kind=Kind.COACH,
        title="Coach",
        text="Help.",
        role=ForRole.OWNER,
        moment="build",
        giver="p",
        valid_from=date(2026, 3, 1),
        tiers=(Tier.LOW, Tier.MEDIUM),
        valid_until=date(2026, 3, 31),
    )
    assert offer.fits(tier, moment, day) is fits


def test_a_week_begins_on_monday_in_utc() -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for hours in (0, 5.5, 24 * 7 - 0.1):
        assert week_of(monday + timedelta(hours=hours)) == monday
    assert week_of(monday - timedelta(seconds=1)) == monday - timedelta(days=7)


async def test_of_two_who_come_at_once_one_has_the_last_place(desk: Desk) -> None:
    sessions, ada, owner = desk.sessions, await desk.person(Role.ENABLER), None
    owner = await desk.person(Role.BUILDER)
    cases = [(await desk.hand_in(owner)).use_case_id for _ in range(4)]
    number = await offered(sessions, ada, places=2)
    tried = await asyncio.gather(
        *(says(sessions, one, owner, number, Answer.TAKEN, at=START) for one in cases),
        return_exceptions=True,
    )
    refused = [one for one in tried if isinstance(one, Conflict)]
    assert len(refused) == 2, tried
    assert str(refused[0]) == "all 2 places are taken"
    async with sessions() as session:
        offer = await find_offer(session, number, at=START)
    assert (offer.used, offer.left, offer.full) == (2, 0, True)
    # A place that is given back is free, and what holds already is not written again.
    taken = cases[next(i for i, one in enumerate(tried) if isinstance(one, Made))]
    left_out = cases[next(i for i, one in enumerate(tried) if isinstance(one, Conflict))]
    again = await says(sessions, taken, owner, number, Answer.TAKEN, at=START)
    assert len(again.answers) == 1
    await says(sessions, taken, owner, number, Answer.DECLINED, at=START)
    assert (await says(sessions, left_out, owner, number, Answer.TAKEN, at=START)).taken
    # Nobody is left who could give it.
    await says(sessions, left_out, owner, number, Answer.DECLINED, at=START)
    async with sessions.begin() as session:
        await change_person(session, ada.id, active=False)
    with pytest.raises(Conflict, match="cannot be taken any more"):
        await says(sessions, left_out, owner, number, Answer.TAKEN, at=START)


async def test_places_of_a_week_are_free_again_in_the_next(desk: Desk) -> None:
    sessions, ada, owner = (
        desk.sessions,
        await desk.person(Role.ENABLER),
        await desk.person(Role.BUILDER),
    )
    one, two = [(await desk.hand_in(owner)).use_case_id for _ in range(2)]
    number = await offered(sessions, ada, places=1, per=Per.WEEK)
    await says(sessions, one, owner, number, Answer.TAKEN, at=START)
    with pytest.raises(Conflict, match="this week"):
        await says(sessions, two, owner, number, Answer.TAKEN, at=START + 6 * DAY)
    made = await says(sessions, two, owner, number, Answer.TAKEN, at=START + 7 * DAY)
    assert made.offer.left == 0
    assert [a.answer for a in made.answers] == [Answer.TAKEN]


async def test_it_is_made_at_its_stage_to_whom_it_is_for(desk: Desk) -> None:
    sessions, ada, bob, owner = (
        desk.sessions,
        await desk.person(Role.ENABLER),
        await desk.person(Role.ENABLER),
        await desk.person(Role.BUILDER),
    )
    case = (await desk.hand_in(owner)).use_case_id
    at_first = await offered(sessions, ada)
    shape = await offered(sessions, ada, moment="shape")
    decides = await offered(sessions, ada, moment="triage", role=ForRole.APPROVER)
    other_tier = await offered(sessions, ada, tiers=(Tier.HIGH,))
    ended = await offered(sessions, ada)
    async with sessions.begin() as session:
        await change_offer(session, ada.actor, ended, Change.ENDED, reason="So.", at=START)

    async def made_to(person: Person) -> set[int]:
        async with sessions() as session:
            row = await find(session, case, person.actor)
            return {m.offer.number for m in await offers_of(session, row, person.actor, at=START)}

    assert await made_to(owner) == {at_first}
    assert await made_to(bob) == {decides}
    for number in (shape, other_tier, ended):
        with pytest.raises(Conflict):
            await says(sessions, case, owner, number, Answer.TAKEN, at=START)
    await says(sessions, case, owner, at_first, Answer.TAKEN, at=START)
    await desk.does(case, ada, Command.CLAIM, at=START + DAY)
    await desk.does(case, ada, Command.APPROVE, at=START + DAY)
    assert await made_to(owner) == {at_first, shape}, "what was answered stays there"
    assert await made_to(bob) == {at_first}
    async with sessions() as session:
        [asked] = await asked_of(session, ada, at=START)
    assert (asked.offer.number, asked.row.id, asked.answered.by) == (at_first, case, owner.name)
    await says(sessions, case, ada, at_first, Answer.GIVEN, at=START + 2 * DAY)
    async with sessions() as session:
        assert await asked_of(session, ada, at=START) == []
    with pytest.raises(Conflict, match="given already"):
        await says(sessions, case, owner, at_first, Answer.DECLINED, at=START + 3 * DAY)


async def test_what_became_of_offers_and_what_they_do_as_known_on_a_day(desk: Desk) -> None:
    """Of 20 use cases those that took it go live after 2 more days, the others after 10."""
    sessions, ada, owner = (
        desk.sessions,
        await desk.person(Role.ENABLER),
        await desk.person(Role.BUILDER),
    )
    number = await offered(sessions, ada, tiers=(Tier.LOW,))
    later = await offered(sessions, ada, at=START + 30 * DAY)
    for place in range(20):
        at = START + place * DAY / 10
        case = (await desk.hand_in(owner, tier=Tier.LOW, at=at)).use_case_id
        takes = place % 2 == 0
        if place < 18:
            said = Answer.TAKEN if takes else Answer.DECLINED
            await says(sessions, case, owner, number, said, at=at + DAY)
        await desk.does(case, owner, Command.GO_LIVE, at=at + (3 if takes else 10) * DAY)
    medium = await desk.hand_in(owner, tier=Tier.MEDIUM)

    async def found(at: datetime) -> dict[int, Any]:
        async with sessions() as session:
            return {
                one.number: one
                for one in await uptake(session, Cohort(INTAKE), Moment(at, asked=True))
            }

    after = await found(START + 20 * DAY)
    assert later not in after, "it was not written yet"
    assert after[number].by_tier == {"low": Count(offered=20, taken=9, given=0, declined=9)}
    effect = after[number].effect
    assert effect is not None
    assert effect.adopters == 9
    test = effect.mantel_byar
    assert test is not None
    assert test.observed == 9, "all who took it went live with it"
    assert test.expected < 6.0
    early = await found(START + 1.05 * DAY)
    assert early[number].count == Count(offered=11, taken=1, given=0, declined=0)
    assert (await found(START + 40 * DAY))[later].count == Count(), "nobody came to it since"
    assert medium.key


async def book(by: Visitor, key: str, number: int, said: str = "taken") -> Any:
    return await by.http.post(f"/v1/use-cases/{key}/offers/{number}", json={"answer": said})


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    greta, builder = await house.visitor(Role.ENABLER), await house.visitor(Role.BUILDER)
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    http, use_case = visitor.http, await builder.hand_in()
    number = (await greta.http.post("/v1/offers", json=BODY)).json()["number"]
    end = {"reason": "The team has other work."}
    keeps = role is Role.ENABLER
    sees = role in {Role.ENABLER, Role.LEADER, Role.ADMIN}
    for answer_, status in (
        (await http.get("/v1/offers"), 200),
        (await http.get("/v1/offers/asked"), 200),
        (await http.post("/v1/offers", json=BODY), 201 if keeps else 403),
        (await http.get(f"/v1/use-cases/{use_case}/offers"), 200 if sees else 404),
        (await book(visitor, use_case, number), 403 if sees else 404),
        (await http.post(f"/v1/offers/{number}/end", json=end), 200 if keeps else 403),
        (await http.post(f"/v1/offers/{number}/begin", json=end), 200 if keeps else 403),
    ):
        assert answer_.status_code == status, (answer_.request.url, answer_.text)
    await greta.http.post(f"/v1/offers/{number}/end", json=end)


async def test_what_makes_no_sense_is_said(house: House) -> None:
    greta, builder = await house.visitor(Role.ENABLER), await house.visitor(Role.BUILDER)
    for changes, field in (
        ({"kind": "magic"}, "kind"),
        ({"title": " "}, "title"),
        ({"moment": "nowhere"}, "moment"),
        ({"role": "approver"}, "moment"),
        ({"places": 0}, "places"),
        ({"giver": "nobody@example.com"}, "giver"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"valid_from": "2026-03-02", "valid_until": "2026-03-01"}, "valid_until"),
        ({"valid_from": "9999-12-31", "valid_until": "2026-03-01"}, "valid_until"),
        ({"more": 1}, "more"),
    ):
        made = await greta.http.post("/v1/offers", json={**BODY, **changes})
        assert made.status_code == 422, (changes, made.text)
        assert field in made.text
    use_case = await builder.hand_in()
    assert (await book(builder, use_case, 999_999)).status_code == 404
    number = (await greta.http.post("/v1/offers", json=BODY)).json()["number"]
    assert (await book(builder, use_case, number, "given")).status_code == 403
    assert (await book(builder, use_case, number, "perhaps")).status_code == 422
    begin = await greta.http.post(f"/v1/offers/{number}/begin", json={"reason": "Why."})
    assert begin.status_code == 409
    await greta.http.post(f"/v1/offers/{number}/end", json={"reason": "Enough."})


async def test_an_offer_on_pages(quiet_house: House) -> None:
    greta = await guest(quiet_house, Role.ENABLER)
    builder = await guest(quiet_house, Role.BUILDER)
    page = await greta.sees("/offers")
    form = page.form("/offers")
    typed = {**BODY, "tiers": "medium", "places": "1", "per": "total"}
    wrong = await greta.sends(form, status=422, **{**typed, "places": "many"})
    assert 'id="places-wrong"' in wrong.html
    assert wrong.form("/offers").values["title"] == BODY["title"]
    page = await greta.sends(form, **typed)
    assert "Written. It is made from now on." in page.text
    assert "1 place left" in page.text

    new = await builder.sees("/new")
    ahead = await builder.sees("/new/ahead", personal_data="yes")
    assert BODY["title"] not in new.text, "nothing is answered yet: low risk"
    assert f"{BODY['title']} Evaluation clinic, After handing in" in ahead.text
    one, two = await builder.api.hand_in(), await builder.api.hand_in()
    other = await builder.sees(f"/use-cases/{two}")
    page = await builder.sees(f"/use-cases/{one}", done="submit")
    action = next(f.action for f in page.forms if "/offers/" in f.action)
    form = page.form(action)
    page = await builder.sends(form, answer="taken")
    assert "Taken. Whoever gives it sees that you wait." in page.text
    late = other.form(action.replace(one, two))
    full = await builder.sends(late, answer="taken", status=409)
    assert "All 1 places are taken." in full.text

    for path in ("/queue", "/use-cases"):
        assert "Asked of you: 1" in (await greta.sees(path)).text
    page = await greta.sees("/offers")
    assert one in page.text
    page = await greta.sends(next(f for f in page.forms if f.action.endswith("/given")))
    assert "Asked of you" not in page.text
    assert "It took place, says" in (await builder.sees(f"/use-cases/{one}")).text
    ends = next(f for f in page.forms if f.action.endswith("/ended"))
    again = await greta.sends(ends, reason=" ", status=422)
    assert "Say why" in again.text
    page = await greta.sends(ends, reason="The team has other work.")
    assert "Ended. What was taken stays taken." in page.text
    page = await builder.sees("/offers")
    assert not page.forms or all("/offers" not in f.action for f in page.forms)
    async with quiet_house.sessions() as session:
        for table in ("offer", "offer_change", "offer_answer"):
            with pytest.raises(Exception, match="never changed or deleted"):
                async with session.begin_nested():
                    await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
