"""`/portfolio`: every use case with what it promised and delivered, and what is missing of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.portfolio import portfolio_csv
from charts.labels import title
from charts.palette import Theme
from charts.portfolio import PICTURES
from service.database import snapshot
from service.domain.permissions import Right, may
from service.domain.tiering import Tier
from service.errors import BadInput, NotAllowed
from service.facts.as_of import moment_from
from service.kinds import Words
from service.portfolio.figures import (
    MOST_IN_A_FILE,
    LineFigures,
    PortfolioFigures,
    TotalFigures,
    read_portfolio,
)
from service.portfolio.portfolio import Gap, Sort, Wanted
from service.value.evidence import State
from service.value.held import Kind, Promise
from service.value.sentences import money
from service.value.terms import Benefit
from web.kit.page import download, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import counted, t

router = APIRouter()

PATH = "/portfolio"
TOTAL_HEADS = (*("cases", "a_year", "expected", "due", "delivered_of", "rate", "unproven", "cost"),)
LIMIT = 50
ON_A_SHEET = 8
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
CSV = "text/csv; charset=utf-8"
STATES = (State.NOT_DUE, State.UNPROVEN, State.MEASURED)
E = TypeVar("E", bound=StrEnum)
NONE = "\N{EN DASH}"


async def leader(reader: Reader) -> SignedIn:
    """Whoever is asking, if they may read reports."""
    if not may(reader.person.actor, Right.READ_REPORTS):
        raise NotAllowed("the portfolio is for leadership and enablement")
    return reader


Leader = Annotated[SignedIn, Depends(leader)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the address, field by field; empty where nothing is asked."""

    unit: str = ""
    sponsor: str = ""
    tier: str = ""
    benefit: str = ""
    state: str = ""
    gap: str = ""
    by: str = ""
    against: str = ""
    sort: str = ""
    as_of: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What is asked."""
        return {name: one for name in FIELDS if (one := getattr(self, name))}

    @property
    def query(self) -> str:
        """The same as a query."""
        return urlencode(self.given)


FIELDS = Asked.__slots__


async def asked(
    *,
    unit: Words = "",
    sponsor: Words = "",
    tier: Words = "",
    benefit: Words = "",
    state: Words = "",
    gap: Words = "",
    by: Words = "",
    against: Words = "",
    sort: Words = "",
    as_of: Words = "",
) -> Asked:
    """What stands in the address."""
    return Asked(unit, sponsor, tier, benefit, state, gap, by, against, sort, as_of)


Question = Annotated[Asked, Depends(asked)]
Cursor = Annotated[str, Query(max_length=64, pattern=r"^([A-Za-z0-9-]+)?$")]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: the key of its head, and what stands in it. To add one is a line."""

    name: str
    cell: Callable[[LineFigures], str]
    figures: bool = True


def _interval(line: LineFigures) -> str:
    if line.delivered is None or line.delivered_low is None or line.delivered_high is None:
        return NONE
    low, high = (money(round(end)) for end in (line.delivered_low, line.delivered_high))
    return f"{money(round(line.delivered))} ({t('reports.between', low=low, high=high)})"


def _promised(line: LineFigures) -> str:
    if line.promised_first == line.promised_latest:
        return money(line.promised_first, line.currency)
    return t(
        "portfolio.first_and_latest",
        first=money(line.promised_first),
        latest=money(line.promised_latest, line.currency),
    )


def _cost(line: LineFigures) -> str:
    return t(
        "portfolio.once_and_yearly",
        once=money(line.one_off_cost),
        yearly=money(line.yearly_run_cost),
    )


def _age(line: LineFigures) -> str:
    if line.evidence_age_days is None:
        return NONE
    return counted("portfolio.days", line.evidence_age_days)


def _last_decision(line: LineFigures) -> str:
    if line.decision is None:
        return NONE
    return f"{t(f'reviews.choice_{line.decision}')}, {line.decided_in}"


def _gap(line: LineFigures, gap: Gap) -> str:
    said = t(f"portfolio.gap_{gap}")
    if gap is not Gap.REGRESSED:
        return said
    return t("portfolio.regressed_in", gap=said, harnesses=", ".join(line.regressions))


COLUMNS = (
    Column("promised", _promised),
    Column("expected", lambda line: money(line.expected)),
    Column("state", lambda line: t(f"portfolio.state_{line.state}"), figures=False),
    Column("due", lambda line: money(line.due) if line.due else NONE),
    Column("delivered", _interval),
    Column("grade", lambda line: line.grade or NONE, figures=False),
    Column("cost", _cost),
    Column("evidence", _age),
    Column("users", lambda line: NONE if line.users is None else f"{line.users:,}"),
    Column("decision", _last_decision, figures=False),
    Column(
        "gaps",
        lambda line: ", ".join(_gap(line, gap) for gap in line.gaps) or NONE,
        figures=False,
    ),
)
"""After the use case itself."""
LEFT_OUT_OF_SHEETS = {"cost", "evidence", "users"}
"""With all columns eight use cases do not fit on a page of paper."""


@router.get(PATH)
async def show(
    request: Request, _: Leader, given: TheContext, wanted: Question, *, cursor: Cursor = ""
) -> Response:
    """A page of the portfolio, with filters and order in the address."""
    found, wrong = None, {}
    try:
        found = await _read(given, wanted, cursor=cursor)
    except BadInput as bad:
        wrong = {bad.field: bad.detail}
    return page(
        request,
        "portfolio.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        found=found,
        wrong=wrong,
        chosen=wanted,
        columns=COLUMNS,
        pictures=_pictures(found),
        choices=_choices(),
        heads=TOTAL_HEADS,
        query=wanted.query,
        rate=rate,
        money=money,
        group_name=_group_name,
        sheet=_sheet_query,
        more=_address({**wanted.given, "cursor": found.cursor}) if found and found.cursor else "",
        first=_address(wanted.given) if cursor else "",
    )


@router.get(PATH + "/sheet")
async def sheet(request: Request, _: Leader, given: TheContext, wanted: Question) -> Response:
    """One business unit or sponsor, or all, on a sheet of paper."""
    found = await _read(given, wanted, limit=ON_A_SHEET)
    return page(
        request,
        "sheet.html",
        found=found,
        chosen=wanted,
        columns=[one for one in COLUMNS if one.name not in LEFT_OUT_OF_SHEETS],
        pictures=_pictures(found),
        heads=TOTAL_HEADS,
        query=wanted.query,
        rate=rate,
        money=money,
        group_name=_group_name,
    )


@router.get(PATH + "/table.csv")
async def table(request: Request, _: Leader, given: TheContext, wanted: Question) -> Response:
    """All lines, with every column."""
    found = await _read(given, wanted, limit=MOST_IN_A_FILE)
    return download(request, portfolio_csv(found), CSV, name="headway-portfolio.csv")


@router.get(PATH + "/{which}.{kind}")
async def picture(
    *,
    request: Request,
    _: Leader,
    given: TheContext,
    wanted: Question,
    which: str,
    kind: Literal["svg", "png"],
    theme: Theme = Theme.LIGHT,
) -> Response:
    """A picture of what was asked for."""
    if which not in PICTURES:
        raise BadInput("picture", f"there are: {', '.join(PICTURES)}")
    found = await _read(given, wanted, limit=1)
    image = await given.drawings.draw_portfolio(found, kind, which=which, theme=theme)
    return download(request, image, TYPES[kind])


async def _read(
    given: Context, wanted: Asked, *, limit: int = LIMIT, cursor: str = ""
) -> PortfolioFigures:
    moment = moment_from("as_of", wanted.as_of, given.now())
    of = Wanted(
        unit=wanted.unit or None,
        sponsor=wanted.sponsor or None,
        tier=wanted.tier or None,
        benefit=_one_of(Benefit, "benefit", wanted.benefit),
        state=_one_of(State, "state", wanted.state),
        gap=_one_of(Gap, "gap", wanted.gap),
    )
    by = _one_of(Kind, "by", wanted.by) or Kind.UNIT
    against = _one_of(Promise, "against", wanted.against) or Promise.FIRST
    sort = _one_of(Sort, "sort", wanted.sort) or Sort.PROMISED
    async with snapshot(given.sessions) as session:
        return await read_portfolio(
            session, moment, of, by=by, against=against, sort=sort, limit=limit, cursor=cursor
        )


def _one_of(words: type[E], field: str, written: str) -> E | None:
    if not written:
        return None
    try:
        return words(written)
    except ValueError:
        raise BadInput(field, f"one of {', '.join(words)}") from None


def _choices() -> Mapping[str, Mapping[str, str]]:
    return {
        "tier": {tier.value: t(f"tier.{tier.value}") for tier in Tier},
        "benefit": {one.value: title(one.value) for one in Benefit},
        "state": {one.value: t(f"portfolio.state_{one.value}") for one in STATES},
        "gap": {one.value: t(f"portfolio.gap_{one.value}") for one in Gap},
        "by": {one.value: t(f"portfolio.by_{one.value}") for one in Kind if one is not Kind.UNIT},
        "against": {Promise.LATEST.value: t("reports.against_latest")},
        "sort": {
            one.value: t(f"portfolio.sort_{one.value}") for one in Sort if one is not Sort.PROMISED
        },
    }


def _pictures(found: PortfolioFigures | None) -> list[tuple[str, str]]:
    if found is None or not found.total.cases:
        return []
    return [(name, words(found)) for name, (_, words) in PICTURES.items()]


def rate(total: TotalFigures) -> str:
    """The rate of a total with its interval."""
    if total.rate is None:
        return NONE
    if total.ci is None or total.ci[0] == total.ci[1]:
        return f"{total.rate:.2f}"
    return (
        f"{total.rate:.2f} ({t('reports.between', low=_two(total.ci[0]), high=_two(total.ci[1]))})"
    )


def _two(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _group_name(found: PortfolioFigures, name: str) -> str:
    return title(name) if found.by in {Kind.TIER, Kind.BENEFIT} else name


def _sheet_query(found: PortfolioFigures, wanted: Asked, name: str) -> str:
    """The query of a group's own sheet."""
    return replace(wanted, **{found.by.value: name, "by": ""}).query


def _address(query: Mapping[str, str | None]) -> str:
    return f"{PATH}?{urlencode({name: value for name, value in query.items() if value})}"
