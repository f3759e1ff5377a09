"""People and tokens."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field, StrictBool, StrictInt

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, TheSession, needs
from api.kit.fields import PLAIN
from api.kit.problems import responses
from service.certification.certificates import kinds_held, set_kinds
from service.certification.holding import day_of
from service.domain.people import Person, Role
from service.domain.permissions import Right
from service.intake.leaving import hand_over_all
from service.kinds import Email, Name, Words
from service.people.directory import add_person, change_person, find_person, list_people
from service.people.tokens import NewToken, TokenRow, issue_token, list_tokens, revoke_token

router = APIRouter(prefix="/v1")

Admin = Annotated[Person, Depends(needs(Right.MANAGE_PEOPLE))]
PersonId = Annotated[
    str, Path(description="As in the list of people", max_length=64, pattern=PLAIN)
]
TokenId = Annotated[str, Path(description="As in the list of tokens", max_length=64, pattern=PLAIN)]
ADMIN_ERRORS = responses(401, 403, 404, 422, 503)
ADMIN_BODY_ERRORS = responses(401, 403, 404, 409, 413, 422, 503)

ADA: dict[str, Any] = {"id": "5c2f0c3e-9a53-4b1e-8a0e-5d0f3c6f7a22", "name": "Ada Lovelace"}
"""Somebody for the examples."""
_PERSON = {
    **ADA,
    "email": "ada@example.com",
    "roles": ["enabler"],
    "party": None,
    "certifications": ["responsible-ai"],
    "active": True,
}
_TOKEN = {
    "id": "3f9c1d5e7a8b4c20",
    "label": "my laptop",
    "created_at": "2026-11-02T09:00:00Z",
    "expires_at": "2027-01-31T09:00:00Z",
    "revoked_at": None,
}


class PersonRef(BaseModel):
    """Somebody, by id and name."""

    id: str
    name: str


Names = Mapping[str, str]


def ref(person_id: str | None, names: Names) -> PersonRef | None:
    """A person by name; Headway itself, and people long gone, keep their id."""
    return PersonRef(id=person_id, name=names.get(person_id, person_id)) if person_id else None


@shows({name: _PERSON[name] for name in ("name", "email", "roles", "certifications")})
class PersonBody(Input):
    """A new person."""

    name: Name = Field(examples=["Ada Lovelace"])
    email: Email = Field(examples=["ada@example.com"])
    roles: list[Role] = Field(min_length=1, max_length=len(Role), examples=[["enabler"]])
    party: Name | None = Field(default=None, description="A reviewer's third party")
    certifications: list[Name] = Field(default=[], max_length=50)


@shows({"certifications": ["responsible-ai"]})
class PersonChange(Input):
    """What changes about a person; what is left out stays."""

    active: StrictBool | None = None
    certifications: list[Name] | None = Field(default=None, max_length=50)
    successor: Words = Field(
        default="", description="Whoever takes over their open use cases (email or id), on leaving"
    )


@shows(_PERSON)
class PersonRead(BaseModel):
    """Somebody who uses Headway."""

    id: str
    name: str
    email: str
    roles: list[Role]
    party: str | None
    certifications: list[str]
    active: bool

    @classmethod
    def of(cls, person: Person, certifications: Sequence[str]) -> "PersonRead":
        """The answer for a person, and the kinds of certificates that they hold now."""
        return cls(
            id=person.id,
            name=person.name,
            email=person.email,
            roles=sorted(person.roles),
            party=person.party,
            certifications=list(certifications),
            active=person.active,
        )


@shows({"items": [_PERSON]})
class PeopleRead(BaseModel):
    """People by name."""

    items: list[PersonRead]


@shows({"label": "my laptop", "days": 90})
class TokenBody(Input):
    """A new token."""

    label: Name = Field(examples=["my laptop"])
    days: StrictInt = Field(default=90, ge=1, le=366)


class TokenRead(BaseModel):
    """A token without its secret."""

    id: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: TokenRow) -> "TokenRead":
        """The answer for a row."""
        return cls(
            id=row.id,
            label=row.label,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )


@shows({"items": [_TOKEN]})
class TokensRead(BaseModel):
    """Tokens, newest first."""

    items: list[TokenRead]


@shows(
    {
        "id": _TOKEN["id"],
        "token": "hw_3f9c1d5e7a8b4c20_shown-this-once-and-never-again-abcdefghijk",
        "expires_at": _TOKEN["expires_at"],
    }
)
class NewTokenRead(BaseModel):
    """A new token. The secret is shown this once."""

    id: str
    token: str
    expires_at: datetime


@router.get(
    "/people",
    summary="Who is here",
    tags=["Administration"],
    responses=responses(401, 403, 503),
)
async def people(_: Admin, session: TheSession, given: TheContext) -> PeopleRead:
    """People by name, with the certificates that are valid today."""
    found = await list_people(session)
    held = await kinds_held(session, [person.id for person in found], day_of(given.now()))
    return PeopleRead(items=[PersonRead.of(person, held[person.id]) for person in found])


@router.post(
    "/people",
    summary="Let somebody in",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 409, 413, 422, 503),
)
async def add(body: PersonBody, admin: Admin, session: TheSession, given: TheContext) -> PersonRead:
    """A new person. They need a token of their own before they can do anything. Certifications are
    of the pick-list (`/v1/certification/kinds`), and issued today."""
    at = given.now()
    person = await add_person(session, at=at, **body.model_dump(exclude={"certifications"}))
    held = await set_kinds(session, person.id, body.certifications, by=admin.id, at=at)
    return PersonRead.of(person, held)


@router.patch(
    "/people/{person_id}",
    summary="Change somebody",
    tags=["Administration"],
    responses=responses(401, 403, 404, 409, 413, 422, 503),
)
async def change(
    person_id: PersonId, body: PersonChange, admin: Admin, given: TheContext
) -> PersonRead:
    """Let somebody in or out, or say all that they are certified for: what is new is issued today,
    what is left out is revoked. Whoever is out loses access at once.

    The open use cases of somebody who goes are handed over to `successor`; without one the answer
    is 409 and lists them. The last administrator cannot go.
    """
    if body.active is False:
        await hand_over_all(
            given.sessions,
            given.engine,
            person_id,
            by=admin.actor,
            successor=body.successor,
            at=given.now(),
        )
    at = given.now()
    async with given.sessions.begin() as session:
        changed = await change_person(session, person_id, active=body.active)
        if body.certifications is not None:
            await set_kinds(session, changed.id, body.certifications, by=admin.id, at=at)
        held = await kinds_held(session, [changed.id], day_of(at))
    return PersonRead.of(changed, held[changed.id])


@router.post(
    "/people/{person_id}/tokens",
    summary="Give somebody a token",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=ADMIN_BODY_ERRORS,
)
async def give_token(
    person_id: PersonId, body: TokenBody, _: Admin, session: TheSession, given: TheContext
) -> NewTokenRead:
    """The secret is in this answer and nowhere else."""
    person = await find_person(session, person_id)
    return await _new_token(session, person, body, given)


@router.delete(
    "/tokens/{token_id}",
    summary="Revoke anybody's token",
    tags=["Administration"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=ADMIN_ERRORS,
)
async def revoke_any(token_id: TokenId, _: Admin, session: TheSession, given: TheContext) -> None:
    """At once, and for good."""
    await revoke_token(session, token_id, at=given.now())


@router.get("/me/tokens", summary="My tokens", tags=["Everybody"], responses=responses(401, 503))
async def my_tokens(person: Caller, session: TheSession) -> TokensRead:
    """Newest first; none of them can be read back."""
    rows = await list_tokens(session, person.id)
    return TokensRead(items=[TokenRead.of(row) for row in rows])


@router.post(
    "/me/tokens",
    summary="Make myself a token",
    tags=["Everybody"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 413, 422, 503),
)
async def my_new_token(
    body: TokenBody, person: Caller, session: TheSession, given: TheContext
) -> NewTokenRead:
    """The secret is in this answer and nowhere else."""
    return await _new_token(session, person, body, given)


@router.delete(
    "/me/tokens/{token_id}",
    summary="Revoke a token of mine",
    tags=["Everybody"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(401, 404, 422, 503),
)
async def revoke_mine(
    token_id: TokenId, person: Caller, session: TheSession, given: TheContext
) -> None:
    """At once, and for good."""
    await revoke_token(session, token_id, at=given.now(), of=person.id)


async def _new_token(
    session: TheSession, person: Person, body: TokenBody, given: TheContext
) -> NewTokenRead:
    made: NewToken = await issue_token(
        session, person.id, label=body.label, at=given.now(), life=timedelta(days=body.days)
    )
    return NewTokenRead(id=made.id, token=made.secret, expires_at=made.expires_at)
