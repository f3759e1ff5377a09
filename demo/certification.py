"""Certificates of the sample organisation: what is asked, who holds it, and who lapses next
month."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from demo.people import Cast
from service.certification.certificates import Issue, grant_waiver, issue
from service.certification.holding import day_of
from service.certification.kinds import Kind, keep_kind
from service.certification.requirements import Asked, begin_requirement
from service.certification.samples import SAMPLE_KINDS
from service.domain.certification import Effect, RequiredOf
from service.domain.people import Person
from service.domain.tiering import Tier
from service.intake.pathways import pathways

DAY = timedelta(days=1)
RESPONSIBLE_AI = "responsible-ai"
LITERACY = Kind(SAMPLE_KINDS + "ai-literacy", "AI literacy (sample)", "Sample academy", 24)
DAYS_LEFT = {"amara": 24, "tomas": 29, "ravi": 210, "noah": 71}
"""Of the certificate that the regulated pathway asks of owners, by first name."""
LITERATE = ("amara", "tomas", "lucia", "noah")
"""Of the builders."""
VALID = 730 * DAY


async def add_certification(session: AsyncSession, cast: Cast, *, at: datetime) -> None:
    """Write down who holds what, as it came about."""
    await keep_kind(session, LITERACY)
    leader = cast.everyone[-1]
    asked = Asked(
        required_of=RequiredOf.BUILDER,
        kind=LITERACY.key,
        tier=None,
        stage=None,
        effect=Effect.WARNS,
        basis="Regulation (EU) 2024/1689 (AI Act), Art. 4",
        link="https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
        note="A sample: it warns, and stops nothing. To be checked by counsel.",
        valid_from=day_of(at - VALID),
    )
    for required_of in (RequiredOf.BUILDER, RequiredOf.APPROVER):
        await begin_requirement(
            session,
            asked if required_of is RequiredOf.BUILDER else _of_approvers(asked),
            pathways().values(),
            reason="Part of the sample organisation.",
            by=leader.id,
            at=at - VALID,
        )
    for name, days in DAYS_LEFT.items():
        await _hold(session, cast.builders[name], RESPONSIBLE_AI, at=at, days_left=days)
    for place, name in enumerate(LITERATE):
        await _hold(session, cast.builders[name], LITERACY.key, at=at, days_left=40 + 150 * place)
    for place, person in enumerate(cast.holders["enablement"][:3]):
        await _hold(session, person, LITERACY.key, at=at, days_left=55 + 200 * place)
    await grant_waiver(
        session,
        cast.builders["mei"].id,
        LITERACY.key,
        reason="The course is full until next month.",
        until=day_of(at + 45 * DAY),
        by=leader.id,
        at=at - 12 * DAY,
    )


def _of_approvers(asked: Asked) -> Asked:
    """Only where it matters most."""
    return replace(asked, required_of=RequiredOf.APPROVER, tier=Tier.HIGH, stage="evaluate")


async def _hold(
    session: AsyncSession, person: Person, kind: str, *, at: datetime, days_left: int
) -> None:
    """Give somebody a certificate that is valid for two years, and for so many days from now."""
    expires = day_of(at) + days_left * DAY
    issued = min(expires - VALID, day_of(at))
    given = Issue(kind, issued, expires, "Sample academy", f"https://academy.example/{kind}")
    await issue(session, person.id, given, by=None, at=at - (day_of(at) - issued))
