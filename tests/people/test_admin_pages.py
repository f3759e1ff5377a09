"""People, roles, tokens and links, managed on pages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from service.certification.certificates import kinds_held
from service.domain.people import Role
from service.errors import SignInNeeded
from service.people.directory import find_person
from service.people.tokens import authenticate
from tests.kit.browsing import Guest, Page, guest, stranger
from tests.kit.house import House


async def somebody_added(admin: Guest, email: str, **fields: Any) -> Page:
    """The page of somebody who has just been let in."""
    page = await admin.sees("/admin")
    given: dict[str, Any] = {
        "name": "Rita",
        "email": email,
        "roles": ["reviewer"],
        "party": "Risk",
        **fields,
    }
    return await admin.sends(page.form("/admin/people"), **given)


async def test_somebody_is_let_in_gets_a_link_and_signs_in(house: House) -> None:
    admin = await guest(house, Role.ADMIN)
    email = f"rita-{admin.person.id[:8]}@example.com"
    page = await somebody_added(admin, email)
    assert "They are in." in page.text

    where = page.path
    page = await admin.sends(page.form(where + "/link"))
    link = page.text.partition("/sign-in?link=")[2].split()[0]
    rita = stranger(house)
    asked = await rita.sees("/sign-in", link=link)
    inside = await rita.sends(asked.form("/sign-in"))
    assert inside.path == "/queue"

    page = await admin.sends(page.form(where + "/sign-out"))
    assert "They are signed out everywhere." in page.text
    assert (await rita.sees("/queue")).path == "/sign-in"


async def test_what_is_wrong_with_somebody_new_stands_next_to_its_field(house: House) -> None:
    admin = await guest(house, Role.ADMIN)
    page = await admin.sees("/admin")
    form = page.form("/admin/people")
    page = await admin.sends(form, name=" ", email="nothing", status=422)
    for name in ("name", "email", "roles"):
        assert any(given.get("id") == f"{name}-wrong" for _, given in page.tags), name
    page = await admin.sends(
        form, name="Al", email="al@example.com", roles=["reviewer"], status=422
    )
    assert "A reviewer speaks for a third party" in page.text
    assert page.form("/admin/people").values["name"] == "Al"
    page = await admin.sends(
        form, name="Al", email=admin.person.email, roles=["leader"], status=422
    )
    assert f"There is somebody with the email {admin.person.email} already" in page.text


async def test_roles_party_and_certifications_change_and_take_effect_at_once(
    house: House,
) -> None:
    admin, other = await guest(house, Role.ADMIN), await guest(house, Role.BUILDER)
    where = f"/admin/people/{other.person.id}"
    page = await admin.sees(where)
    page = await admin.sends(
        page.form(where),
        roles=["enabler", "builder"],
        certifications=["responsible-ai"],
        active="yes",
    )
    assert "Saved." in page.text
    await other.sees("/queue")
    async with house.sessions() as session:
        person = await find_person(session, other.person.id)
        held = await kinds_held(session, [person.id], datetime.now(UTC).date())
    assert person.roles == {Role.ENABLER, Role.BUILDER}
    assert held == {person.id: ("responsible-ai",)}
    page = await admin.sends(page.form(where), roles=["enabler"], party="risk", status=422)
    assert "A reviewer speaks for a third party" in page.text

    fields = [pair for pair in page.form(where).fields if pair[0] not in {"active", "party"}]
    answer = await admin.post(where, fields)
    assert answer.status_code == 303
    assert (await other.sees("/queue")).path == "/sign-in"


async def test_people_are_found_by_name_or_email(house: House) -> None:
    admin, other = await guest(house, Role.ADMIN), await guest(house, Role.BUILDER)
    for named in (other.person.name.upper(), other.person.email.partition("@")[0]):
        page = await admin.sees("/admin", named=named)
        assert other.person.email in page.text
        assert admin.person.email not in page.text
    page = await admin.sees("/admin", named="100%_")
    assert "Nobody is called so." in page.text


async def test_an_admin_cannot_lock_themselves_out(house: House) -> None:
    admin = await guest(house, Role.ADMIN)
    where = f"/admin/people/{admin.person.id}"
    form = (await admin.sees(where)).form(where)
    page = await admin.sends(form, roles=["leader"], status=422)
    assert "You cannot take your own administration away." in page.text
    await admin.sees(where)


async def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    page = await builder.sees("/account")
    page = await builder.sends(page.form("/account/tokens"), label="my script", days="7")
    assert "It is shown this once" in page.text
    (secret,) = [word for word in page.text.split() if word.startswith("hw_")]
    async with house.sessions() as session:
        person = await authenticate(session, secret, at=datetime.now(UTC))
    assert person == builder.person
    later = await builder.sees("/account")
    assert secret not in later.html
    page = await builder.sends(
        next(form for form in later.forms if f"/tokens/{secret.split('_')[1]}/" in form.action)
    )
    assert "The token has ended." in page.text
    async with house.sessions() as session:
        with pytest.raises(SignInNeeded):
            await authenticate(session, secret, at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("label", "days", "said"),
    [
        ("", "7", "Say what it is for."),
        ("x", "0", "From 1 to 366 days."),
        ("x", "-1", "From 1 to 366 days."),
        ("x", "9" * 5000, "From 1 to 366 days."),
        ("x", "9" * 50, "From 1 to 366 days."),
        ("x", "", "From 1 to 366 days."),
    ],
)
async def test_a_token_without_a_label_or_with_a_wrong_life_is_not_made(
    house: House, label: str, days: str, said: str
) -> None:
    builder = await guest(house, Role.BUILDER)
    page = await builder.sees("/account")
    page = await builder.sends(page.form("/account/tokens"), label=label, days=days, status=422)
    assert said in page.text
    assert page.form("/account/tokens").values["label"] == label


async def test_nobody_but_an_admin_manages_people(house: House) -> None:
    admin = await guest(house, Role.ADMIN)
    token = (await admin.sees("/admin")).form("/admin/people")
    for role in (Role.BUILDER, Role.ENABLER, Role.LEADER):
        other = await guest(house, role)
        await other.sees("/admin", status=403)
        await other.sees(f"/admin/people/{admin.person.id}", status=403)
        mine = (await other.sees("/account")).form("/sign-out").values["form_token"]
        for path in (
            "/admin/people",
            f"/admin/people/{other.person.id}",
            f"/admin/people/{admin.person.id}/tokens",
            f"/admin/people/{admin.person.id}/link",
            f"/admin/people/{admin.person.id}/sign-out",
            f"/admin/people/{admin.person.id}/tokens/0000/revoke",
        ):
            answer = await other.post(path, [*token.fields, ("form_token", mine)])
            assert answer.status_code == 403, path
