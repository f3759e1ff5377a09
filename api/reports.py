"""Reports for leadership."""

import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import FiniteFloat

from api.kit.context import Context, TheContext, needs
from api.kit.fields import AsOf, Zone
from api.kit.problems import responses
from charts.reports import names_of
from service.database import snapshot
from service.domain.cohort import INTAKE
from service.domain.people import Person
from service.domain.permissions import Right
from service.errors import BadInput
from service.facts.as_of import Moment, moment_from
from service.kinds import Words, Written
from service.measure.tiers import SHORTEST_TAU
from service.reports.question import Grouping, Question
from service.reports.registry import Name, report
from service.reports.spreadsheet import as_csv
from service.value.held import Promise

router = APIRouter(prefix="/v1/reports", tags=["Leadership"])

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]


class Format(StrEnum):
    """What a report comes as."""

    JSON = "json"
    CSV = "csv"
    SVG = "svg"
    PNG = "png"


@dataclass(frozen=True, slots=True)
class Asked:
    """A report's question as it came over HTTP."""

    question: Question
    moment: Moment
    format: Format
    picture: str


async def asked(
    given: TheContext,
    *,
    cohort: Annotated[
        Written, Query(description="The cohort that is looked at: NAME or NAME[condition; ...]")
    ] = INTAKE,
    baseline: Annotated[
        Written | None,
        Query(description="What it is compared with; the only other one, if empty"),
    ] = None,
    tau: Annotated[
        FiniteFloat | None,
        Query(
            ge=SHORTEST_TAU, le=36_500, description="Days; by default twice the baseline's median"
        ),
    ] = None,
    tier: Annotated[Words | None, Query(description="Only cases of this tier")] = None,
    unit: Annotated[Words | None, Query(description="Only cases of this business unit")] = None,
    by: Annotated[
        Grouping, Query(description="What tells the groups apart, where there are any")
    ] = (Grouping.NOTHING),
    programme: Annotated[
        Words | None,
        Query(description="The id of a lighthouse programme; the newest that goes on, if empty"),
    ] = None,
    against: Annotated[
        Promise,
        Query(description="The promise that value is held against"),
    ] = Promise.FIRST,
    as_of: AsOf = "",
    zone: Zone = "",
    format_: Annotated[
        Format, Query(alias="format", description="The main table as CSV, or a picture")
    ] = Format.JSON,
    which: Annotated[
        Words, Query(alias="picture", description="Which picture, of a report that has several")
    ] = "",
) -> Asked:
    """The question in a request's query."""
    question = Question(
        cohort,
        baseline or None,
        tau,
        tier or None,
        unit or None,
        by,
        against=against,
        programme=programme or None,
    )
    moment = moment_from("as_of", as_of, given.now(), zone)
    return Asked(question, moment, format_, which)


TheQuestion = Annotated[Asked, Depends(asked)]
OTHER_FORMATS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "image/svg+xml": {"schema": {"type": "string"}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


def _route(name: Name) -> None:
    """The address of a report."""

    async def answer(_: Reader, given: TheContext, wanted: TheQuestion) -> Any:
        return await _answer(given, name, wanted)

    router.add_api_route(
        f"/{name.value}",
        answer,
        name=f"{name.value} report",
        summary=name.of.asks,
        description=inspect.getdoc(name.of.result),
        responses=OTHER_FORMATS | responses(401, 403, 422, 503),
        response_model=name.of.result,
    )


for one in Name:
    _route(one)


@router.get("/{name}", include_in_schema=False)
async def another(_: Reader, name: Name) -> None:
    """There is no report of another name: 422."""


async def _answer(given: Context, name: Name, wanted: Asked) -> Any:
    async with snapshot(given.sessions) as session:
        found = await report(
            session, name, wanted.moment, wanted.question, learned=given.forecaster.order
        )
    if wanted.format is Format.JSON:
        return found
    file = f"attachment; filename=headway-{name.value}.{wanted.format.value}"
    headers = {"Content-Disposition": file}
    if wanted.format is Format.CSV:
        table = as_csv(name.of.rows(found))
        return Response(table, media_type="text/csv; charset=utf-8", headers=headers)
    there = names_of(name)
    if not there or wanted.picture not in {"", *there}:
        pictures = f"there are: {', '.join(there)}" if there else "it has none"
        raise BadInput("picture", f"{name.value} has no such picture; {pictures}")
    kind: Literal["svg", "png"] = "svg" if wanted.format is Format.SVG else "png"
    image = await given.drawings.draw(name, found, kind, which=wanted.picture)
    return Response(image, media_type=IMAGES[kind], headers=headers)


IMAGES: dict[str, str] = {"svg": "image/svg+xml", "png": "image/png"}
