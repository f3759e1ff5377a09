"""Notices as people see them: written with what they tell of, gone when their reason is."""

import pytest

from service.domain.commands import Command
from service.domain.people import Person, Role
from service.notices.store import count_unseen, forget_old, notices_of, see
from tests.kit.browsing import browsing
from tests.kit.desk import DAY, HOUR, START, Desk
from tests.kit.house import House, Visitor


async def kinds(desk: Desk, person: Person) -> list[str]:
    async with desk.sessions() as session:
        return [one.kind.value for one in await notices_of(session, person.actor)]


async def unseen(desk: Desk, person: Person) -> int:
    async with desk.sessions() as session:
        return await count_unseen(session, person.actor)


async def test_a_notice_stands_as_long_as_its_move_is_to_be_made(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    ada, ben = await desk.person(Role.ENABLER), await desk.person(Role.ENABLER)
    lena = await desk.person(Role.REVIEWER, party="legal")
    case = (await desk.hand_in(owner)).use_case_id
    assert (await kinds(desk, ada), await kinds(desk, ben)) == (["waits"], ["waits"])
    assert await kinds(desk, owner) == []

    await desk.does(case, ada, Command.CLAIM, at=START + HOUR)
    assert (await kinds(desk, ada), await kinds(desk, ben)) == ([], [])
    await desk.does(case, ada, Command.REFER, at=START + 2 * HOUR, party="legal")
    assert await kinds(desk, lena) == ["waits"]
    await desk.does(case, ada, Command.RECALL, at=START + 3 * HOUR)
    assert await kinds(desk, lena) == []
    await desk.does(case, ada, Command.ASK, at=START + 4 * HOUR)
    await desk.does(case, None, Command.REMIND, at=START + 5 * DAY)
    assert await kinds(desk, owner) == ["near_target"], "the newest of a use case"
    assert await unseen(desk, owner) == 1

    async with desk.sessions.begin() as session:
        newest = (await notices_of(session, owner.actor))[0].id
        await see(session, owner.actor, up_to=newest, at=START + 6 * DAY)
    assert await unseen(desk, owner) == 0
    assert await kinds(desk, owner) == ["near_target"], "seen, and still their move"
    await desk.does(case, owner, Command.ANSWER, at=START + 6 * DAY)
    assert (await kinds(desk, owner), await kinds(desk, ada)) == ([], ["back"])
    async with desk.sessions.begin() as session:
        await forget_old(session, at=START + 8 * DAY)
    assert await kinds(desk, ada) == ["back"], "what stands is kept"


async def test_what_was_taken_back_was_never_told(house: House) -> None:
    owner, ada = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await owner.hand_in()

    async def heard(somebody: Visitor) -> list[str]:
        items = (await somebody.sees("notices"))["items"]
        return [one["kind"] for one in items if one["use_case"] == key]

    await ada.does(key, "decline", reason="It is forbidden.")
    assert (await heard(owner), await heard(ada)) == (["ended"], [])
    await ada.does(key, "take_back")
    assert (await heard(owner), await heard(ada)) == ([], ["waits"])


@pytest.mark.parametrize("by", ["page", "api"])
async def test_news_are_seen_once_by_page_and_by_api(house: House, by: str) -> None:
    owner = await house.visitor(Role.BUILDER)
    enabler = await house.visitor(Role.ENABLER)
    key = await owner.hand_in(title="Read invoices")
    await enabler.does(key, "park", reason="Not this quarter.")
    stands = await owner.sees("notices")
    assert (stands["unseen"], [one["kind"] for one in stands["items"]]) == (1, ["moved"])
    guest = await browsing(house, owner)
    page = await guest.sees("/notices")
    assert "Notices: 1 new" in page.text
    assert "moved on" in page.text
    assert page.html.count("<title>(1) ") == 1
    if by == "page":
        page = await guest.sends(page.form("notices/seen"))
    else:
        up_to = stands["items"][0]["id"]
        answer = await owner.http.post("/v1/notices/seen", json={"up_to": up_to, "use_case": key})
        assert answer.status_code == 204
        page = await guest.sees("/notices")
    assert "Nothing that you have not seen." in page.text
    assert "<title>Notices" in page.html
    assert (await owner.sees("notices"))["items"] == []
    assert (await enabler.http.get("/v1/notices")).json()["items"] != stands["items"]
