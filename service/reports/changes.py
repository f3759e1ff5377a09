"""What a change of a pathway did: the cases of a version against those of the one before."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment, cases_of, pathway_versions
from service.measure.verdict import judge
from service.reports.comparison import Comparison, example_of
from service.reports.headline import refuse_by_evidence
from service.reports.question import Asking
from service.reports.report import Example, Figures, Instant, Registered, Report, Row

MOST_CHANGES = 20
"""The newest ones."""


class _Began(Figures):
    pathway: str
    version: int
    previous: int
    began: Instant = Field(description="The first case on the version")


class Change(Comparison, _Began):
    """A version of a pathway against the one before; `ratio` is after over before."""


class ChangesReport(Report):
    """What each change of a pathway did: the cases of a version against those of the one before,
    the newest change first."""

    report: Literal["changes"] = "changes"
    as_of: Instant
    cohort: str
    sentence: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]


async def changes(session: AsyncSession, moment: Moment, cohort: Cohort) -> ChangesReport:
    """Every change of a pathway as known at the moment, newest first: of the cases of a cohort.
    `BadInput` for a cohort by evidence, as for the verdict.

    A case keeps the version that it started with, so a new version is an intervention with a date:
    that of the first case on it. `ratio` is after over before; what else changed on that day is in
    it, too.
    """
    refuse_by_evidence("cohort", cohort)
    listed = await pathway_versions(session, (cohort, moment))
    pairs = [(later, earlier) for earlier, later in pairwise(listed) if earlier[0] == later[0]]
    pairs.sort(key=lambda pair: (pair[0][2], pair[0][0]), reverse=True)
    found: list[Change] = []
    for (pathway, version, at), (_, previous, _) in pairs[:MOST_CHANGES]:
        after = replace(cohort, pathway=pathway, pathway_version=version)
        before = replace(cohort, pathway=pathway, pathway_version=previous)
        cases = await cases_of(session, {str(after): after, str(before): before}, moment)
        verdict = await asyncio.to_thread(judge, cases, intake=str(after), baseline=str(before))
        began = _Began(pathway=pathway, version=version, previous=previous, began=at.isoformat())
        found.append(Change.of(verdict, **dict(began)))
    return ChangesReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(found),
        changes=tuple(found),
        notes=(),
    )


def _sentence(found: Sequence[Change]) -> str:
    if not found:
        return "No pathway has been changed yet."
    newest = found[0]
    changed = f"The newest change, {newest.pathway} version {newest.version},"
    if newest.ratio is None:
        return f"{changed} cannot be compared with the version before yet."
    return (
        f"{changed} {newest.verdict}: {newest.ratio:.2f} of the time that the version before took."
    )


async def _read(asking: Asking) -> ChangesReport:
    return await changes(asking.session, asking.moment, asking.cohort)


def _rows(found: ChangesReport) -> Iterator[Row]:
    for one in found.changes:
        low, high = one.ci or (None, None)
        of = one.model_dump(include={"pathway", "version", "previous", "began", "verdict"})
        yield {**of, "ratio": one.ratio, "low": low, "high": high}


EXAMPLE: Example = {
    "report": "changes",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "The newest change, standard version 2, compresses: 0.63 of the time that the "
    "version before took.",
    "changes": [
        {
            "pathway": "standard",
            "version": 2,
            "previous": 1,
            "began": "2026-03-02T09:00:00+00:00",
            **example_of("intake[pathway=standard@2]", "intake[pathway=standard@1]"),
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="changes",
    asks="What did each change of a pathway do?",
    result=ChangesReport,
    read=_read,
    rows=_rows,
    compares=True,
    example=EXAMPLE,
)
