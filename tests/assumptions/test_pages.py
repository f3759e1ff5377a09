"""What is assumed, on the verdict's page: read by all, recorded and withdrawn by name."""

import pytest

from service.domain.people import Role
from tests.assumptions.test_api import a_baseline, recorded
from tests.kit.browsing import Page, guest
from tests.kit.house import House

WHY = "Same teams, <b>same</b> tools."


def recording(page: Page) -> bool:
    """Whether the page has the form."""
    return page.offers("assumptions")


async def test_a_leader_records_and_withdraws_by_name(house: House) -> None:
    name = await a_baseline(house, "page-by-name")
    leader, other = await guest(house, Role.LEADER), await guest(house, Role.ENABLER)
    page = await leader.sees("/reports/verdict", baseline=name, tier="low")
    assert "Nothing is assumed of it." in page.text

    page = await leader.sends(page.form("assumptions"), kind="same_triage", reason=WHY)
    assert "tier=low" in str(page.answer.request.url), "what was asked stays"
    assert f"baseline={name}" in str(page.answer.request.url)
    for words in ("The triage is the same", leader.person.name, WHY):
        assert words in page.text
    assert "<b>same" not in page.html
    read = await other.sees("/reports/verdict", baseline=name)
    assert WHY in read.text
    found = await leader.api.sees(f"reports/verdict?baseline={name}")
    assert [one["by"] for one in found["assumptions"]] == [leader.person.name]

    form = next(one for one in page.forms if one.action.endswith("/withdraw"))
    page = await leader.sends(form, reason="A new platform came.")
    assert "A new platform came." in page.text
    assert f"Withdrawn by {leader.person.name}" in page.text
    assert not [one for one in page.forms if one.action.endswith("/withdraw")]
    found = await leader.api.sees(f"reports/verdict?baseline={name}")
    assert found["assumptions"] == []


async def test_what_cannot_be_recorded_is_said_and_kept(house: House) -> None:
    name = await a_baseline(house, "page-kept")
    leader = await guest(house, Role.LEADER)
    page = await leader.sees("/reports/verdict", baseline=name)
    form = page.form("assumptions")

    empty = await leader.sends(form, kind="same_triage", reason=" ", status=422)
    assert 'id="assume-reason-wrong"' in empty.html
    wrong = await leader.sends(form, kind="luck", reason=WHY, status=422)
    assert 'id="assume-kind-wrong"' in wrong.html
    assert wrong.form("assumptions").values["reason"] == WHY
    await recorded(leader.api, name)
    twice = await leader.sends(form, kind="same_triage", reason=WHY, status=409)
    assert "assumed of page-kept already" in twice.text
    assert twice.form("assumptions").values["reason"] == WHY
    withdrawing = next(one for one in twice.forms if one.action.endswith("/withdraw"))
    unsaid = await leader.sends(withdrawing, reason="", status=422)
    assert "Say why" in unsaid.text


@pytest.mark.parametrize("role", [Role.LEADER, Role.ADMIN, Role.ENABLER])
async def test_the_form_is_there_for_those_who_may(house: House, role: Role) -> None:
    name = await a_baseline(house, f"page-{role.value}")
    somebody, leader = await guest(house, role), await guest(house, Role.LEADER)
    there = await recorded(leader.api, name)
    page = await somebody.sees("/reports/verdict", baseline=name)

    assert recording(page) == (role is not Role.ENABLER)
    if role is Role.ENABLER:
        token = next(one.values["form_token"] for one in page.forms if "form_token" in one.values)
        path = "/reports/verdict/assumptions"
        for address in (path, f"{path}/{there['id']}/withdraw"):
            answer = await somebody.post(address, [("form_token", token), ("reason", WHY)])
            assert answer.status_code == 403
            assert "recorded by leaders and administrators" in answer.text


async def test_without_a_baseline_there_is_nothing_to_assume(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    await a_baseline(house, "page-one")
    await a_baseline(house, "page-two")
    assert not recording(await leader.sees("/reports/verdict"))
    assert not recording(await leader.sees("/reports/clock"))
