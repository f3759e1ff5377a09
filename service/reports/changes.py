"""What a change of a pathway did: the cases of a version against those of the one before."""

import asyncio
from dataclasses import replace
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.cohort import Cohort
from service.facts.as_of import Moment, cases_of, conditions
from service.facts.tables import CaseVersionRow
from service.measure.verdict import as_json, judge
from service.reports.headline import refuse_by_evidence

MOST_CHANGES = 20
"""The newest ones."""


async def changes(session: AsyncSession, moment: Moment, cohort: Cohort) -> dict[str, object]:
    """Every change of a pathway as known at the moment, newest first, as JSON-able data: of the
    cases of a cohort. `BadInput` for a cohort by evidence, as for the verdict.

    A case keeps the version that it started with, so a new version is an intervention with a date:
    that of the first case on it. `ratio` is after over before; what else changed on that day is in
    it, too.
    """
    refuse_by_evidence("cohort", cohort)
    row = CaseVersionRow
    began = func.min(col(row.started_at)).label("began")
    versions = await session.execute(
        select(col(row.pathway), col(row.pathway_version), began)
        .where(*conditions(cohort, moment), col(row.pathway) != "")
        .group_by(col(row.pathway), col(row.pathway_version))
        .order_by(col(row.pathway), col(row.pathway_version))
    )
    listed = [(pathway, version, at) for pathway, version, at in versions]
    pairs = [(later, earlier) for earlier, later in pairwise(listed) if earlier[0] == later[0]]
    pairs.sort(key=lambda pair: (pair[0][2], pair[0][0]), reverse=True)
    found = []
    for (pathway, version, at), (_, previous, _) in pairs[:MOST_CHANGES]:
        after = replace(cohort, pathway=pathway, pathway_version=version)
        before = replace(cohort, pathway=pathway, pathway_version=previous)
        cases = await cases_of(session, {str(after): after, str(before): before}, moment)
        verdict = await asyncio.to_thread(judge, cases, intake=str(after), baseline=str(before))
        found.append(
            {
                "pathway": pathway,
                "version": version,
                "previous": previous,
                "began": at.isoformat(),
                **as_json(verdict),
            }
        )
    return {
        "as_of": moment.at.isoformat(),
        "cohort": str(cohort),
        "sentence": _sentence(found),
        "changes": found,
        "notes": [],
    }


def _sentence(found: list[dict[str, object]]) -> str:
    if not found:
        return "No pathway has been changed yet."
    newest = found[0]
    changed = f"The newest change, {newest['pathway']} version {newest['version']},"
    ratio = newest["ratio"]
    if not isinstance(ratio, float):
        return f"{changed} cannot be compared with the version before yet."
    return f"{changed} {newest['verdict']}: {ratio:.2f} of the time that the version before took."
