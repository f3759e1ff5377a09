"""Certification on pages: what I hold and am asked for, what administrators keep; no script."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.people import Role
from tests.certification.test_api import ASKED
from tests.kit.browsing import Guest, guest
from tests.kit.house import House

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)
RULES, PEOPLE = "/admin/certification", "/admin/certification/people"


@pytest.fixture(scope="module")
async def admin(quiet_house: House) -> Guest:
    """Who keeps certification; there is a course on the pick-list."""
    somebody = await guest(quiet_house, Role.ADMIN)
    page = await somebody.sees(RULES)
    page = await somebody.sends(
        page.form("kinds"), key="course", title="The course", months_valid="12"
    )
    assert "It is on the pick-list." in page.text
    return somebody


async def test_asked_changed_and_asked_no_more(quiet_house: House, admin: Guest) -> None:
    builder = await guest(quiet_house, Role.BUILDER)
    ada = await guest(quiet_house, Role.ENABLER)
    form = (await admin.sees(RULES)).form("requirements")
    page = await admin.sends(form, **{**ASKED, "link": "javascript:alert(1)"}, status=422)
    assert 'id="requirement-link-wrong"' in page.html
    assert page.form("requirements").values["basis"] == "A rule of the house", "nothing is lost"
    page = await admin.sends(form, **ASKED)
    assert "It is asked for." in page.text

    key = await builder.api.hand_in()
    said = "The accountable owner is certified: course"
    ahead = await builder.sees("/new/ahead", personal_data="yes")
    assert said in ahead.text, "in the preview of the form"
    assert said in (await builder.sees(f"/use-cases/{key}")).text
    queue = await ada.sees("/queue")
    assert said in queue.text
    assert f"approve:{key}" not in queue.html
    mine = await builder.sees("/certification")
    assert "Missing" in mine.text
    assert f"/use-cases/{key}" in mine.attributes("a", "href")

    page = await admin.sees(RULES)
    change = next(to for to in page.attributes("a", "href") if "?change=" in to)
    form = (await admin.sees(change.partition("#")[0])).form("requirements")
    assert form.values["replaces"]
    page = await admin.sends(form, effect="warns", reason="Counsel says so.")
    assert "It is asked for." in page.text
    queue = await ada.sees("/queue")
    assert "said only: it can pass without" in queue.text
    assert f"approve:{key}" in queue.html
    end = page.form("end")
    assert "Say why" in (await admin.sends(end, reason=" ", status=422)).text
    page = await admin.sends(end, reason="No more.")
    assert "It is asked for no more." in page.text
    assert "that are over" in page.text
    assert said not in (await ada.sees("/queue")).text


async def test_certificates_and_waivers_are_given_and_ended(
    quiet_house: House, admin: Guest
) -> None:
    builder = await guest(quiet_house, Role.BUILDER)
    email = builder.api.person.email
    page = await admin.sees(PEOPLE)
    form = page.form("certificates")
    given: dict[str, Any] = {"person": email, "certificate": "course", "issued": TODAY.isoformat()}
    wrong = await admin.sends(form, **{**given, "person": "no@example.com"}, status=422)
    assert "Nobody here has this email." in wrong.text
    await admin.sends(form, **given, evidence="https://academy.example.com/1")
    mine = await builder.sees("/certification")
    assert "https://academy.example.com/1" in mine.attributes("a", "href")
    assert "without an end" not in mine.text, "as its kind says"
    page = await admin.sees(PEOPLE, person=email)
    await admin.sends(page.form("revoke"), reason="It was somebody else.")
    assert "It was somebody else." in (await builder.sees("/certification")).text

    form = (await admin.sees(PEOPLE)).form("waivers")
    until = (TODAY + 9 * DAY).isoformat()
    waived: dict[str, Any] = {
        "certificate": "course",
        "until": until,
        "reason": "The course is full.",
    }
    own = await admin.sends(form, **waived, person=admin.api.person.email, status=403)
    assert "Nobody grants themselves a waiver" in own.text
    page = await admin.sends(form, **waived, person=email)
    assert "The course is full." in (await builder.sees("/certification")).text
    page = await admin.sends(page.form("end"), reason="There is room again.")
    assert "The waiver has ended." in page.text


async def test_a_file_says_what_was_left_out(quiet_house: House, admin: Guest) -> None:
    builder = await guest(quiet_house, Role.BUILDER)
    head, email = "email,certificate,issued", builder.api.person.email
    form = (await admin.sees(PEOPLE)).form("import")
    good = f"{email},course,2026-01-15"
    page = await admin.sends(form, csv=f"{head}\n{good}\n{email},corse,2026-01-15")
    assert "2 lines: 1 taken, 1 left out." in page.text
    assert 'Line 3: there is no certificate "corse"; course is near' in page.text
    page = await admin.sends(form, csv=f"{head}\n{good}")
    assert "New: 0. There already: 1." in page.text
    page = await admin.sends(form, csv="a,b", status=422)
    assert 'id="import-csv-wrong"' in page.html


@pytest.mark.parametrize("role", [Role.BUILDER, Role.ENABLER, Role.REVIEWER, Role.LEADER])
async def test_only_administrators_see_what_they_keep(quiet_house: House, role: Role) -> None:
    party = "risk" if role is Role.REVIEWER else None
    somebody = await guest(quiet_house, role, party=party)
    page = await somebody.sees("/certification")
    assert RULES not in page.attributes("a", "href")
    reads = role in {Role.ENABLER, Role.LEADER}
    assert ("/reports/certification" in page.attributes("a", "href")) == reads
    await somebody.sees(RULES, status=403)
    await somebody.sees(PEOPLE, status=403)
