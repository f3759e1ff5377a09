"""Names that a report is asked by: what is not there is refused, with what is."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import INTAKE, Cohort
from service.domain.naming import listed, shown
from service.domain.tiering import Tier
from service.errors import BadInput
from service.facts.as_of import Choices, choices, has_cases, pathway_versions
from service.intake.pathways import pathways

MOST_NAMED = 12
"""So many of the names that there are does a refusal say."""


async def refuse_unknown(
    session: AsyncSession,
    *,
    cohorts: Sequence[tuple[str, Cohort]],
    tier: str | None,
    unit: str | None,
) -> None:
    """`BadInput` for the first name of a question that nothing here has: a cohort (each with the
    field that it was written in), a tier, a business unit, a pathway, a kind of evidence.

    A name that is there and has no case in the cohort, or none yet on the day that is asked, is no
    mistake: the answer is then that nothing can be said.
    """
    names = _Names(session)
    for field, cohort in cohorts:
        await names.cohort(field, cohort.name)
        await names.tier(field, cohort.tier)
        await names.unit(field, cohort.unit)
        await names.pathway(field, cohort.pathway, cohort.pathway_version)
        for kind in (cohort.evidence, cohort.without_evidence):
            await names.evidence(field, kind)
    await names.tier("tier", tier)
    await names.unit("unit", unit)


class _Names:
    """Looks names up, and reads what there is only for one that is not sure to be."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._there: Choices | None = None

    async def _choices(self) -> Choices:
        if self._there is None:
            self._there = await choices(self._session)
        return self._there

    async def cohort(self, field: str, name: str) -> None:
        if name != INTAKE:
            _among(field, "cohort", name, [INTAKE, *(await self._choices()).cohorts])

    async def tier(self, field: str, tier: str | None) -> None:
        ours = [one.value for one in Tier]
        if tier is not None and tier not in ours:
            _among(field, "tier", tier, [*ours, *(await self._choices()).tiers])

    async def unit(self, field: str, unit: str | None) -> None:
        if unit is not None and not await has_cases(self._session, unit=unit):
            _among(field, "business unit", unit, (await self._choices()).units)

    async def pathway(self, field: str, key: str | None, version: int | None) -> None:
        shipped = {(one.key, one.version) for one in pathways().values()}
        if key is None or (key, version) in shipped:
            return
        if version is None and any(key == one for one, _ in shipped):
            return
        used = await pathway_versions(self._session)
        there = sorted({*shipped, *((one, number) for one, number, _ in used)})
        if version is None:
            _among(field, "pathway", key, dict.fromkeys(one for one, _ in there))
        else:
            named = [f"{one}@{number}" for one, number in there]
            _among(field, "pathway", f"{key}@{version}", named)

    async def evidence(self, field: str, kind: str | None) -> None:
        asked_for = {
            one
            for pathway in pathways().values()
            for stage in pathway.stages
            for one in (*stage.evidence, *stage.passes_with)
        }
        if kind is None or kind in asked_for:
            return
        if not await has_cases(self._session, evidence=kind):
            _among(field, "kind of evidence", kind, sorted(asked_for))


def _among(field: str, what: str, name: str | None, there: Collection[str]) -> None:
    if name is None or name in there:
        return
    named = list(dict.fromkeys(there))
    known = f"there are: {listed(named, MOST_NAMED)}" if named else "there is none yet"
    raise BadInput(field, f"there is no {what} {shown(name)}; {known}")
