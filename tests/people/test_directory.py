"""People and their tokens, on a real PostgreSQL."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from service.database import Sessions
from service.domain.people import RESERVED_PARTIES, Person, Role
from service.errors import BadInput, Conflict, NotFound, SignInNeeded
from service.people.directory import (
    add_person,
    change_person,
    count_people,
    find_person,
    list_people,
    names_of,
)
from service.people.tables import PersonRow, TokenRow
from service.people.tokens import (
    TOKEN_LIFE,
    NewToken,
    authenticate,
    issue_token,
    list_tokens,
    revoke_token,
)
from tests.kit.desk import DAY, HOUR, START, Desk

INSTANT = timedelta(microseconds=1)


async def issued(sessions: Sessions, person: Person, life: timedelta = TOKEN_LIFE) -> NewToken:
    async with sessions.begin() as session:
        return await issue_token(session, person.id, label="laptop", at=START, life=life)


async def test_only_a_digest_of_a_token_is_stored(desk: Desk) -> None:
    person = await desk.person(Role.BUILDER)
    token = await issued(desk.sessions, person)

    async with desk.sessions() as session:
        row = await session.scalar(select(TokenRow))
        tables = await session.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        )
        everything = [
            str(await session.scalar(text(f"SELECT string_agg(t::text, '|') FROM \"{name}\" t")))  # noqa: S608
            for name in tables
        ]
    assert row is not None
    assert row.digest == hashlib.sha256(token.secret.encode()).digest()
    assert row.expires_at == START + TOKEN_LIFE
    secret_part = token.secret.split("_", 2)[2]
    assert len(everything) > 5
    assert not [found for found in everything if secret_part in found]


async def test_a_valid_token_says_who_it_is(desk: Desk) -> None:
    person = await desk.person(Role.REVIEWER, party="risk")
    token = await issued(desk.sessions, person)

    async with desk.sessions() as session:
        assert await authenticate(session, token.secret, at=START) == person
        assert await authenticate(session, token.secret, at=token.expires_at - INSTANT) == person


@pytest.mark.parametrize(
    "why", ["expired", "revoked", "inactive", "unknown", "wrong secret", "cut off", "no token"]
)
async def test_whatever_is_wrong_with_a_token_the_refusal_is_the_same(desk: Desk, why: str) -> None:
    person = await desk.person(Role.BUILDER)
    token = await issued(desk.sessions, person, life=DAY)
    presented, at = token.secret, START + HOUR
    async with desk.sessions.begin() as session:
        assert await authenticate(session, presented, at=at) == person
        match why:
            case "expired":
                at = START + DAY
            case "revoked":
                await revoke_token(session, token.id, at=START + HOUR)
            case "inactive":
                await change_person(session, person.id, active=False)
            case "unknown":
                presented = f"hw_{'0' * 16}_{presented.split('_', 2)[2]}"
            case "wrong secret":
                presented = presented[:-1] + ("a" if presented[-1] != "a" else "b")
            case "cut off":
                presented = presented[:-1]
            case _:
                presented = "letmein"

    async with desk.sessions() as session:
        with pytest.raises(SignInNeeded) as refused:
            await authenticate(session, presented, at=at)
    assert str(refused.value) == "sign in with a valid token: Authorization: Bearer ..."
    assert refused.value.args == ()


async def test_what_is_no_token_is_refused(sessions: Sessions) -> None:
    for presented in ("", "_", "__", "hw__", "hw_a_b", "xx_a_b", "hw_a_" + "b" * 999):
        async with sessions() as session:
            with pytest.raises(SignInNeeded):
                await authenticate(session, presented, at=START)


async def test_one_person_s_token_does_not_open_for_another(desk: Desk) -> None:
    ada, ben = await desk.person(Role.ENABLER), await desk.person(Role.ENABLER)
    hers, his = await issued(desk.sessions, ada), await issued(desk.sessions, ben)
    mixed = f"hw_{hers.id}_{his.secret.split('_', 2)[2]}"

    async with desk.sessions() as session:
        assert (await authenticate(session, his.secret, at=START)).id == ben.id
        with pytest.raises(SignInNeeded):
            await authenticate(session, mixed, at=START)


async def test_a_token_is_revoked_once_and_only_by_whom_it_belongs_to(desk: Desk) -> None:
    ada, ben = await desk.person(Role.ENABLER), await desk.person(Role.ENABLER)
    token = await issued(desk.sessions, ada)

    async with desk.sessions.begin() as session:
        with pytest.raises(NotFound):
            await revoke_token(session, token.id, at=START, of=ben.id)
        await revoke_token(session, token.id, at=START, of=ada.id)
        with pytest.raises(NotFound):
            await revoke_token(session, token.id, at=START, of=ada.id)
        listed = await list_tokens(session, ada.id)
        assert [(row.id, row.revoked_at) for row in listed] == [(token.id, START)]
        assert await list_tokens(session, ben.id) == []


async def test_emails_are_one_person_s_however_they_are_written(desk: Desk) -> None:
    async with desk.sessions.begin() as session:
        ada = await add_person(
            session, name=" Ada ", email=" Ada.L@Example.COM ", roles=[Role.ENABLER], at=START
        )
        assert (ada.name, ada.email) == ("Ada", "ada.l@example.com")
        assert await find_person(session, "ADA.L@example.com ") == ada
        assert await find_person(session, ada.id.upper()) == ada
        with pytest.raises(Conflict, match=r"ada\.l@example\.com"):
            await add_person(
                session, name="Eve", email="ada.l@EXAMPLE.com", roles=[Role.BUILDER], at=START
            )
        assert await count_people(session) == 1
        with pytest.raises(NotFound):
            await find_person(session, "nobody@example.com")


async def test_a_reviewer_speaks_for_one_third_party_and_nobody_else_does(
    sessions: Sessions,
) -> None:
    wrong: list[tuple[list[Role], str | None, str]] = [
        ([], None, "roles"),
        ([Role.REVIEWER], None, "party"),
        ([Role.REVIEWER], "", "party"),
        ([Role.ENABLER], "risk", "party"),
        *(([Role.REVIEWER], party, "party") for party in sorted(RESERVED_PARTIES)),
    ]
    async with sessions.begin() as session:
        for roles, party, field in wrong:
            with pytest.raises(BadInput) as refused:
                await add_person(
                    session, name="R", email="r@example.com", roles=roles, party=party, at=START
                )
            assert refused.value.field == field, (roles, party)
        assert await count_people(session) == 0


async def test_activity_can_change_and_the_rest_stays(desk: Desk) -> None:
    person = await desk.person(Role.BUILDER, Role.LEADER)

    async with desk.sessions.begin() as session:
        assert await change_person(session, person.id) == person
        changed = await change_person(session, person.id, active=False)
    assert (changed.active, changed.roles, changed.email) == (False, person.roles, person.email)
    async with desk.sessions() as session:
        assert await find_person(session, person.id) == changed
        with pytest.raises(NotFound):
            await change_person(session, "nobody", active=True)


async def test_roles_are_stored_as_their_words_and_people_listed_by_name(desk: Desk) -> None:
    one = await desk.person(Role.BUILDER, Role.ADMIN)
    two = await desk.person(Role.LEADER)

    async with desk.sessions() as session:
        stored = await session.scalar(
            text("SELECT roles FROM person WHERE id = :id"), {"id": one.id}
        )
        assert stored == ["admin", "builder"]
        assert await list_people(session) == [one, two]
        assert await names_of(session, [two.id, None, "nobody"]) == {two.id: two.name}
        assert await names_of(session, [None]) == {}
        row = await session.scalar(select(PersonRow).where(col(PersonRow.id) == two.id))
        assert row is not None
        assert row.created_at == START


async def test_the_last_administrator_stays(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        one = await add_person(
            session, name="One", email="one@x.example", roles=[Role.ADMIN], at=START
        )
        two = await add_person(
            session, name="Two", email="two@x.example", roles=[Role.ADMIN, Role.LEADER], at=START
        )

    async def let_out(person_id: str) -> bool:
        try:
            async with sessions.begin() as session:
                await change_person(session, person_id, active=False)
        except Conflict:
            return False
        return True

    # Both at the same moment: one of them goes, never both.
    gone = await asyncio.gather(let_out(one.id), let_out(two.id))
    assert sorted(gone) == [False, True]
    left = two if gone[0] else one
    assert not await let_out(left.id)
    with pytest.raises(Conflict, match="last administrator"):
        async with sessions.begin() as session:
            await change_person(session, left.id, roles=[Role.LEADER])
    async with sessions() as session:
        assert (await find_person(session, left.id)).roles == left.roles
