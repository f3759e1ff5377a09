"""Programmes on pages: set up, proposed, written down, chosen, ended; without any script."""

from typing import Any

import pytest

from service.domain.people import Role
from service.lighthouses.rules import Criterion
from tests.kit.browsing import Guest, Page, guest
from tests.kit.house import House
from tests.lighthouses.test_api import going, made

EVIL = "Counted, <b>twice</b>."


def criteria(**changes: str) -> dict[str, str]:
    """A form's fields with every criterion met."""
    found = {f"met_{one}": "yes" for one in Criterion}
    found |= {f"evidence_{one}": f"{EVIL} {one}" for one in Criterion}
    return {**found, **changes}


async def begun(leader: Guest) -> Page:
    page = await leader.sees("/lighthouses")
    return await leader.sends(page.form("/lighthouses"), name="Autumn <i>", target="2")


async def test_the_whole_way_on_pages(house: House) -> None:
    leader, enabler = await guest(house, Role.LEADER), await guest(house, Role.ENABLER)
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in(tier="low", lighthouse=True)
    loser = await builder.hand_in(tier="low")
    page = await begun(leader)
    where = page.path
    assert "Nobody has proposed a candidate yet." in page.text
    assert "Autumn <i>" in page.text
    assert "<i>" not in page.html

    page = await enabler.sees(where)
    assert key in page.attributes("option", "value")
    for one in (key, loser):
        page = await enabler.sends(page.form("candidates"), use_case=one)
    assert "Proposed." in page.text
    assert not page.offers("choices")
    assert not page.offers("end")
    form = page.form(f"candidates/{key}/criteria")
    fields: dict[str, Any] = criteria(met_audience="", evidence_audience="")
    page = await enabler.sends(form, **fields)
    assert "Written down." in page.text
    assert EVIL in page.text
    assert "<b>" not in page.html

    page = await leader.sees(where)
    page = await leader.sends(
        page.form(f"candidates/{key}/choices"), chosen="yes", reason="Now.", status=409
    )
    assert "missing: audience" in page.text
    assert page.form(f"candidates/{key}/choices").values["reason"] == "Now."
    form = page.form(f"candidates/{key}/criteria")
    assert form.values["evidence_baseline"] == f"{EVIL} baseline"
    page = await leader.sends(form, met_audience="yes", evidence_audience="The board.")
    page = await leader.sends(page.form(f"candidates/{key}/choices"), chosen="yes", reason="Now.")
    page = await leader.sends(
        page.form(f"candidates/{loser}/choices"), chosen="no", reason="No baseline."
    )
    assert "Also on record" in page.text
    assert "Turned down: No baseline." in page.text
    programme = where.rpartition("/")[2]
    record = await leader.api.sees(f"lighthouses/{programme}")
    counts = {one["key"]: len(one["criteria"]) for one in record["candidates"]}
    assert counts == {key: 5, loser: 0}, "what is unchanged is not written again"

    await builder.does(key, "go_live")
    follower = await builder.hand_in(tier="low", title="It follows")
    page = await leader.sees(where)
    assert "live since" in page.text
    assert follower in page.text
    assert "2 live by" in page.text
    assert not page.offers(f"candidates/{key}/criteria")
    page = await leader.sends(page.form("end"), reason="Enough.")
    assert f"Ended by {leader.person.name}" in page.text
    assert [one for one in page.forms if "candidates" in one.action] == []
    assert "ended" in (await leader.sees("/lighthouses")).text


async def test_what_cannot_be_taken_is_said_and_kept(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    page = await leader.sees("/lighthouses")
    for name, value in (
        ("name", " "),
        ("starts_on", "soon"),
        ("starts_on", "1999-01-01"),
        ("horizon_days", "many"),
        ("target", "99"),
    ):
        form = page.form("/lighthouses")
        wrong = await leader.sends(form, **{"name": "Kept", name: value}, status=422)
        assert f'id="{name}-wrong"' in wrong.html
        if name != "name":
            assert wrong.form("/lighthouses").values["name"] == "Kept"
    page = await begun(leader)
    wrong = await leader.sends(page.form("candidates"), use_case="UC-99999999", status=422)
    assert wrong.form("candidates").values["use_case"] == "UC-99999999"
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    page = await leader.sends(page.form("candidates"), use_case=key)
    again = await leader.sends(page.form("candidates"), use_case=key, status=409)
    assert "candidate already" in again.text
    form = page.form(f"candidates/{key}/criteria")
    half = await leader.sends(form, met_chance="yes", status=422)
    assert f'id="{key}-chance-wrong"' in half.html
    nothing = await leader.sends(form, status=422)
    assert "Nothing was changed." in nothing.text
    choice = page.form(f"candidates/{key}/choices")
    which = await leader.sends(choice, reason="Why.", status=422)
    assert "Choose it, or turn it down." in which.text
    why = await leader.sends(choice, chosen="no", reason=" ", status=422)
    assert "Say why" in why.text
    assert "Say why" in (await leader.sends(page.form("end"), reason="", status=422)).text


async def test_a_day_in_the_past_is_shown_and_not_written_about(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    there = await going(house, leader.api)
    record = await leader.api.sees(f"lighthouses/{there.id}")
    page = await leader.sees(f"/lighthouses/{there.id}", as_of=record["made_at"])
    assert "Nobody has proposed a candidate yet." in page.text
    assert [one.action for one in page.forms if one.method == "post"] == ["/sign-out"]
    wrong = await leader.sees(f"/lighthouses/{there.id}", as_of="soon", status=422)
    assert 'id="as_of-wrong"' in wrong.html
    await leader.sees(f"/lighthouses/{there.id}", as_of="2001-01-01", status=422)
    await leader.sees("/lighthouses/none", status=404)


@pytest.mark.parametrize("role", list(Role))
async def test_forms_are_there_for_those_who_may(house: House, role: Role) -> None:
    leader = await house.visitor(Role.LEADER)
    there = await going(house, leader)
    somebody = await guest(house, role, party="risk" if role is Role.REVIEWER else None)
    path = f"/lighthouses/{there.id}"
    reads, chooses = (
        role in {Role.LEADER, Role.ADMIN, Role.ENABLER},
        role in {Role.LEADER, Role.ADMIN},
    )
    page = await somebody.sees(path, status=200 if reads else 403)
    listed = await somebody.sees("/lighthouses", status=200 if reads else 403)
    home = await somebody.sees("/account")

    assert ("/lighthouses" in home.attributes("a", "href")) == reads
    assert page.offers("candidates") == page.offers(f"candidates/{there.key}/criteria") == reads
    assert page.offers(f"candidates/{there.key}/choices") == page.offers("end") == chooses
    assert any(one.action == "/lighthouses" for one in listed.forms) == chooses
    token = next(one.values["form_token"] for one in home.forms if "form_token" in one.values)
    for address, allowed in (
        ("/lighthouses", chooses),
        (f"{path}/candidates", reads),
        (f"{path}/candidates/{there.key}/criteria", reads),
        (f"{path}/candidates/{there.key}/choices", chooses),
        (f"{path}/end", chooses),
    ):
        answer = await somebody.post(address, [("form_token", token)])
        assert answer.status_code == (422 if allowed else 403), address


async def test_without_a_programme_the_page_says_what_to_do(quiet_house: House) -> None:
    page = await (await guest(quiet_house, Role.ENABLER)).sees("/lighthouses")
    assert "There is no programme yet." in page.text
    leader = await guest(quiet_house, Role.LEADER)
    await made(leader.api)
    assert "Day 0 of 90" in (await leader.sees("/lighthouses")).text
