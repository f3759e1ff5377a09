"""Tokens with which a machine brings runs of harnesses, and can do nothing else.

They begin with `hwh_` where a person's begin with `hw_`: neither is taken for the other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.people import Actor, Role
from service.domain.permissions import Right, may
from service.errors import BadInput, Conflict, NotAllowed, NotFound, SignInNeeded
from service.harness.tables import TokenRow
from service.intake.use_cases import UseCaseRow, is_unit, rows_of
from service.people.directory import find_person, names_of
from service.people.tokens import digest_of, is_genuine, new_secret

PREFIX = "hwh"
TOKEN = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_[A-Za-z0-9_-]{{20,100}}")
LONGEST_LIFE = timedelta(days=366)
MOST_TOKENS = 50
"""Valid ones of a use case, or of a business unit."""
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown once. `secret` is the whole of what the machine presents."""

    id: str
    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is listed: for one use case (`unit` is None) or one business unit."""

    id: str
    label: str
    use_case_id: str | None
    unit: str | None
    by: str
    """The name of whoever made it."""
    person_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None

    def is_for(self, row: UseCaseRow) -> bool:
        """Whether it may bring runs to a use case."""
        return row.id == self.use_case_id or (
            self.unit is not None and row.business_unit == self.unit
        )

    def is_over(self, at: datetime) -> bool:
        """Whether it is of no use any more."""
        return self.revoked_at is not None or self.expires_at <= at


def may_revoke(actor: Actor, row: UseCaseRow) -> bool:
    """Whether this person may see and end the tokens of a use case: its owners, those who may make
    tokens for its business unit."""
    return actor.person_id in row.owners or may(actor, Right.MAKE_UNIT_TOKENS)


async def make_token(
    session: AsyncSession,
    by: Actor,
    of: UseCaseRow | str,
    *,
    label: str,
    at: datetime,
    life: timedelta,
) -> NewToken:
    """A new token for a use case (its owners make it), or for all of a business unit (enablement
    and administrators do). Its secret is returned once and only a digest of it is kept."""
    use_case_id: str | None
    unit: str | None
    if isinstance(of, str):
        if not may(by, Right.MAKE_UNIT_TOKENS):
            raise NotAllowed("enablement and administrators make tokens for a business unit")
        use_case_id, unit = None, of.strip()
        if not await is_unit(session, unit):
            raise BadInput("business_unit", "no use case here is of this business unit")
    else:
        if by.person_id not in of.owners:
            raise NotAllowed("the owners of a use case make its tokens")
        use_case_id, unit = of.id, None
    if not label.strip():
        raise BadInput("label", "say what it is for")
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise BadInput("days", f"from 1 to {LONGEST_LIFE.days}")
    valid = await session.scalar(
        select(func.count())
        .select_from(TokenRow)
        .where(
            col(TokenRow.use_case_id).is_not_distinct_from(use_case_id),
            col(TokenRow.business_unit).is_not_distinct_from(unit),
            col(TokenRow.revoked_at).is_(None),
            col(TokenRow.expires_at) > at,
        )
    )
    if (valid or 0) >= MOST_TOKENS:
        raise Conflict(f"there are {MOST_TOKENS} valid ones already: revoke one first")
    token_id, secret = new_secret(PREFIX)
    expires_at = at + life
    session.add(
        TokenRow(
            id=token_id,
            digest=digest_of(secret),
            label=label.strip(),
            person_id=by.person_id,
            created_at=at,
            expires_at=expires_at,
            use_case_id=use_case_id,
            business_unit=unit,
        )
    )
    await session.flush()
    return NewToken(token_id, secret, expires_at)


async def tokens_of(session: AsyncSession, row: UseCaseRow) -> list[Token]:
    """The tokens that may bring runs to a use case, its business unit's too, newest first."""
    return await _tokens(
        session,
        (col(TokenRow.use_case_id) == row.id) | (col(TokenRow.business_unit) == row.business_unit),
    )


async def unit_tokens(session: AsyncSession) -> list[Token]:
    """The tokens of all business units, newest first."""
    return await _tokens(session, col(TokenRow.business_unit).is_not(None))


async def revoke(
    session: AsyncSession, token_id: str, *, at: datetime, of: UseCaseRow | None
) -> None:
    """End a token now: one of a use case, or of any business unit. `NotFound` when there is none
    to end."""
    mine = (
        col(TokenRow.business_unit).is_not(None)
        if of is None
        else col(TokenRow.use_case_id) == of.id
    )
    ended = await session.execute(
        update(TokenRow)
        .where(col(TokenRow.id) == token_id, col(TokenRow.revoked_at).is_(None), mine)
        .values(revoked_at=at)
        .returning(col(TokenRow.id))
    )
    if ended.first() is None:
        raise NotFound(f"valid token {token_id}")


def is_harness_token(presented: str) -> bool:
    """Whether somebody means to present one, valid or not."""
    return presented.startswith(f"{PREFIX}_")


async def authenticate_machine(session: AsyncSession, presented: str, *, at: datetime) -> Token:
    """Which token this is. `SignInNeeded` for all that is not a valid one, and for those whose
    maker is not here any more, or could not make it any more."""
    form = TOKEN.fullmatch(presented)
    if form is None:
        raise SignInNeeded
    row = await session.get(TokenRow, form[1])
    genuine = is_genuine(presented, row.digest if row else None)
    if row is None or not genuine:
        raise SignInNeeded
    (token,) = await _listed(session, [row])
    maker = await find_person(session, row.person_id)
    if token.is_over(at) or not maker.active or not await _still_may(session, maker.actor, row):
        raise SignInNeeded
    return token


async def _still_may(session: AsyncSession, maker: Actor, row: TokenRow) -> bool:
    """Whether whoever made a token could make it now: a use case may have been given away."""
    if row.use_case_id is None:
        return may(maker, Right.MAKE_UNIT_TOKENS)
    return maker.person_id in (await rows_of(session, [row.use_case_id]))[row.use_case_id].owners


async def was_used(session: AsyncSession, token_id: str, *, at: datetime) -> None:
    """Note the moment at which a token was last used."""
    await session.execute(update(TokenRow).where(col(TokenRow.id) == token_id).values(used_at=at))


async def _tokens(session: AsyncSession, where: ColumnElement[bool]) -> list[Token]:
    rows = await session.scalars(
        select(TokenRow)
        .where(where)
        .order_by(col(TokenRow.created_at).desc(), col(TokenRow.id))
        .limit(MOST_LISTED)
    )
    return await _listed(session, list(rows))


async def _listed(session: AsyncSession, rows: Sequence[TokenRow]) -> list[Token]:
    names = await names_of(session, {row.person_id for row in rows})
    return [
        Token(
            id=row.id,
            label=row.label,
            use_case_id=row.use_case_id,
            unit=row.business_unit,
            by=names.get(row.person_id, row.person_id),
            person_id=row.person_id,
            created_at=row.created_at.astimezone(UTC),
            expires_at=row.expires_at.astimezone(UTC),
            revoked_at=row.revoked_at and row.revoked_at.astimezone(UTC),
            used_at=row.used_at and row.used_at.astimezone(UTC),
        )
        for row in rows
    ]


def may_bring(actor: Actor, row: UseCaseRow) -> bool:
    """Whether a person may bring runs to a use case themselves: its owners, and enablement."""
    return actor.person_id in row.owners or Role.ENABLER in actor.roles
