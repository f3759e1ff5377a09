"""`/reports`: what leadership asks, one sentence before each picture and table."""

import asyncio
from datetime import datetime
from http import HTTPStatus
from math import isfinite
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from api.context import Context, TheContext
from api.fields import Written
from charts.palette import Theme
from charts.reports import in_words, names_of
from charts.words import title
from service.domain.permissions import Right, may
from service.errors import BadInput, NotAllowed
from service.known import choices, moment_from
from service.measure.tiers import SHORTEST_TAU
from service.reports.catalogue import Found, Name, question_from, report
from service.reports.clock import By
from service.reports.spreadsheet import as_csv
from service.sessions import reading
from web.context import Pages, ThePages
from web.page import download, page
from web.signed_in import Reader, SignedIn
from web.tables import by_risk, tables_of
from web.words import t

router = APIRouter()

FIELDS = ("cohort", "baseline", "tier", "unit", "by", "tau", "as_of", "zone")
GROUPINGS = {
    Name.CLOCK: (By.TIER, By.UNIT, By.STAGE, By.PERIOD),
    Name.STAGES: (By.TIER,),
}
"""What a report can tell its groups apart by."""
SUMMARY = (Name.CLOCK, Name.HELP)
"""What the verdict's page goes on with."""
CSV = "text/csv; charset=utf-8"
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
MOST_DAYS = 36_500
WRITTEN = TypeAdapter(Written)


def asked(
    *,
    cohort: str = "",
    baseline: str = "",
    tier: str = "",
    unit: str = "",
    by: str = "",
    tau: str = "",
    as_of: str = "",
    zone: str = "",
) -> dict[str, str]:
    """What stands in the address, field by field; empty where nothing is asked."""
    given = (cohort, baseline, tier, unit, by, tau, as_of, zone)
    return {name: value.strip() for name, value in zip(FIELDS, given, strict=True)}


Asked = Annotated[dict[str, str], Depends(asked)]


def leader(reader: Reader) -> SignedIn:
    """Whoever is asking, if they may read reports."""
    if not may(reader.person.actor, Right.READ_REPORTS):
        raise NotAllowed("reports are for leadership and enablement")
    return reader


Leader = Annotated[SignedIn, Depends(leader)]


@router.get("/reports")
async def verdict(
    request: Request, _: Leader, given: TheContext, pages: ThePages, wanted: Asked
) -> Response:
    """The first of the reports: the verdict."""
    return await _page(request, given, pages, Name.VERDICT, wanted)


@router.get("/reports/{name}")
async def one(
    request: Request, _: Leader, given: TheContext, pages: ThePages, wanted: Asked, name: Name
) -> Response:
    """A report: its sentence, its pictures, its table."""
    return await _page(request, given, pages, name, wanted)


@router.get("/reports/{name}/table.csv")
async def table(
    request: Request, _: Leader, given: TheContext, pages: ThePages, wanted: Asked, name: Name
) -> Response:
    """The whole table."""
    found = await _read(given, pages, name, wanted)
    return download(request, as_csv(name, found), CSV, name=f"headway-{name.value}.csv")


@router.get("/reports/{name}/{which}.{kind}")
async def picture(
    *,
    request: Request,
    _: Leader,
    given: TheContext,
    pages: ThePages,
    wanted: Asked,
    name: Name,
    which: str,
    kind: Literal["svg", "png"],
    theme: Theme = Theme.LIGHT,
) -> Response:
    """A picture of the report."""
    if which not in names_of(name):
        raise BadInput("picture", f"{name.value} has no such picture")
    found = await _read(given, pages, name, wanted)
    image = await given.drawings.draw(name, found, kind, which=which, theme=theme)
    return download(request, image, TYPES[kind])


def days_of(field: str, written: str) -> float | None:
    """A number of days as somebody wrote it; None for nothing. `BadInput` for anything else."""
    if not written:
        return None
    try:
        days = float(written)
    except ValueError:
        days = 0.0
    if not isfinite(days) or not SHORTEST_TAU <= days <= MOST_DAYS:
        raise BadInput(field, "write a number of days, like 365")
    return days


def _legible(wanted: dict[str, str]) -> None:
    """`BadInput` for the first field that is too long or that no database can look for. Not left
    to the query's own types: the page says it next to the field."""
    for field, text in wanted.items():
        try:
            WRITTEN.validate_python(text)
        except ValidationError as bad:
            said = bad.errors()[0]["msg"].removeprefix("Value error, ")
            raise BadInput(field, said) from None


async def _read(
    given: Context,
    pages: Pages,
    name: Name,
    wanted: dict[str, str],
    *,
    now: datetime | None = None,
    since: datetime | None = None,
) -> Found:
    now = now or given.now()
    _legible(wanted)
    question = question_from(
        cohort=wanted["cohort"] or "intake",
        baseline=wanted["baseline"],
        tau_days=days_of("tau", wanted["tau"]),
        tier=wanted["tier"],
        unit=wanted["unit"],
        by=wanted["by"] or By.NOTHING.value,
    )
    moment = moment_from("as_of", wanted["as_of"], now, wanted["zone"])

    async def make() -> Found:
        async with reading(given.sessions) as session:
            return await report(session, name, moment, question)

    return await pages.shelf.read(name, question, moment, now, make, since=since)


async def _page(
    request: Request, given: Context, pages: Pages, name: Name, wanted: dict[str, str]
) -> Response:
    found: Found | None = None
    more: dict[Name, Found] = {}
    wrong: dict[str, str] = {}
    now = given.now()
    try:
        found = await _read(given, pages, name, wanted, now=now)
        if name is Name.VERDICT:
            since = datetime.fromisoformat(str(found["as_of"]))
            more = await _summary(given, pages, wanted, now=now, since=since)
    except BadInput as bad:
        wrong = {bad.field: bad.detail}
    async with reading(given.sessions) as session:
        offered = await choices(session)
    pinned = {**wanted, **({"as_of": str(found["as_of"])} if found else {})}
    return page(
        request,
        "reports.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        name=name.value,
        names=[other.value for other in Name],
        found=found,
        wanted=wanted,
        wrong=wrong,
        query=_query(wanted),
        pinned=_query(pinned),
        pictures=_pictures(name, found),
        tables=tables_of(name, found) if found else (),
        more=[
            (other.value, str(one["sentence"]), _pictures(other, one))
            for other, one in more.items()
        ],
        more_query=_query(_narrowed(wanted)),
        offered=offered,
        tiers={tier: title(tier) for tier in sorted(offered.tiers, key=by_risk)},
        groupings={by.value: t(f"reports.by_{by.value}") for by in GROUPINGS.get(name, ())},
    )


async def _summary(
    given: Context, pages: Pages, wanted: dict[str, str], *, now: datetime, since: datetime
) -> dict[Name, Found]:
    """What leadership asks after the verdict, not older than it."""
    about = _narrowed(wanted)
    read = (_read(given, pages, name, about, now=now, since=since) for name in SUMMARY)
    found = await asyncio.gather(*read)
    return dict(zip(SUMMARY, found, strict=True))


def _narrowed(wanted: dict[str, str]) -> dict[str, str]:
    """The same cases, without what only a comparison takes."""
    return {**wanted, "baseline": "", "by": "", "tau": ""}


def _query(wanted: dict[str, str]) -> str:
    return urlencode({key: value for key, value in wanted.items() if value})


def _pictures(name: Name, found: Found | None) -> list[tuple[str, str]]:
    """The pictures that there are, each with its text alternative."""
    if found is None:
        return []
    return [(which, in_words(name, found, which=which)) for which in names_of(name)]
