"""Investment cases and measurements of a use case: what it promised, what it delivered."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from api.kit.context import Caller, TheContext, TheSession
from api.kit.fields import AsOf, UseCaseKey, Zone
from api.kit.problems import responses
from api.value.bodies import (
    CaseVersionBody,
    CaseVersionRead,
    ConfirmationBody,
    EffectBody,
    EffectRead,
    InvestmentCaseRead,
    MeasurementBody,
    MeasurementRead,
    MeasurementsRead,
    RealisedRead,
)
from service.errors import BadInput, Conflict
from service.facts.as_of import moment_from
from service.intake.use_cases import find, key_of
from service.value import investment_cases, measurements
from service.value.planning import attach_plan
from service.value.series import BadSeries, effect_of, read_series
from service.value.terms import Observation

router = APIRouter(prefix="/v1/use-cases/{key}")

Number = Annotated[int, Path(description="As in the list of measurements", ge=1, le=2**31 - 1)]


@router.get(
    "/investment-case",
    summary="What it promises, version by version",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def its_investment_case(
    key: UseCaseKey, person: Caller, session: TheSession
) -> InvestmentCaseRead:
    """The first version is what was handed in; none is ever changed."""
    row = await find(session, key, person.actor)
    found = await investment_cases.versions(session, row.id)
    return InvestmentCaseRead(key=key_of(row), versions=[CaseVersionRead.of(one) for one in found])


@router.post(
    "/investment-case",
    summary="Change the investment case",
    tags=["Builders", "Enablement"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 404, 409, 413, 422, 503),
)
async def change(
    key: UseCaseKey, body: CaseVersionBody, person: Caller, given: TheContext
) -> CaseVersionRead:
    """Another version, with the reason: for its owners and enablement. Reports show both what was
    delivered against the first and against the latest. A measurement plan in it is attached as the
    evidence `measurement-plan`, where the pathway asks for it."""
    async with given.sessions.begin() as session:
        row = await find(session, key, person.actor)
        version = await investment_cases.change(
            session,
            row,
            person.actor,
            body.changes(),
            reason=body.reason,
            at=given.now(),
            expected_version=body.expected_version,
        )
    await attach_plan(given.sessions, given.engine, key, person.actor, version, at=given.now())
    return CaseVersionRead.of(version)


@router.get(
    "/measurements",
    summary="What it delivered against what it promised",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def its_measurements(
    key: UseCaseKey,
    person: Caller,
    session: TheSession,
    given: TheContext,
    *,
    as_of: AsOf = "",
    zone: Zone = "",
) -> MeasurementsRead:
    """What is due, what of that was measured with which grade of evidence, and what nobody has
    measured."""
    row = await find(session, key, person.actor)
    moment = moment_from("as_of", as_of, given.now(), zone)
    value = await measurements.value_of(session, row, moment.at)
    return MeasurementsRead(
        key=key_of(row),
        currency=value.currency,
        in_production_since=value.live,
        against_first=RealisedRead.of(value.against_first),
        against_latest=RealisedRead.of(value.against_latest),
        items=[MeasurementRead.of(one) for one in value.measurements],
    )


@router.post(
    "/measurements",
    summary="Enter a measurement, or correct one",
    tags=["Builders", "Enablement", "Third parties"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 404, 409, 413, 422, 503),
)
async def measure(
    key: UseCaseKey, body: MeasurementBody, person: Caller, session: TheSession, given: TheContext
) -> MeasurementRead:
    """For owners, enablement and the third party finance, once it is in production. It counts as a
    report (E) until somebody else has confirmed it. A correction names what it replaces."""
    row = await find(session, key, person.actor)
    return MeasurementRead.of(
        await measurements.record(session, row, person, body.to_found(), at=given.now())
    )


@router.post(
    "/measurements/effect",
    summary="What a series shows; nothing is stored",
    tags=["Builders", "Enablement", "Third parties"],
    responses=responses(401, 404, 409, 413, 422, 503),
)
async def effect(
    key: UseCaseKey, body: EffectBody, person: Caller, session: TheSession, given: TheContext
) -> EffectRead:
    """The change of the KPI since it went live, by the method that is asked for, with a standard
    error that allows for days being alike. Enter it as a measurement to keep it."""
    row = await find(session, key, person.actor)
    live = (await measurements.value_of(session, row, given.now())).live
    if live is None:
        raise Conflict("it is not in production: there is no before and after yet")
    series, comparison = _series("series", body.series), _series("comparison", body.comparison)
    try:
        found = effect_of(body.method, series, live, comparison=comparison, scaled=body.scaled)
    except BadSeries as bad:
        raise BadInput("series", str(bad)) from None
    return EffectRead.of(found, series, live, body.comparison_name)


def _series(field: str, text: str) -> tuple[Observation, ...]:
    if not text.strip():
        return ()
    try:
        return read_series(text)
    except BadSeries as bad:
        raise BadInput(field, str(bad)) from None


@router.post(
    "/measurements/{number}/confirm",
    summary="Confirm a measurement and its money",
    tags=["Enablement", "Third parties"],
    responses=responses(401, 403, 404, 409, 413, 422, 503),
)
async def confirm(
    key: UseCaseKey,
    number: Number,
    *,
    body: ConfirmationBody,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> MeasurementRead:
    """For enablement and the third party finance: never for its owners, its sponsor, or whoever
    measured it. From then on it counts with the grade of its method."""
    row = await find(session, key, person.actor)
    return MeasurementRead.of(
        await measurements.confirm(session, row, number, person, note=body.note, at=given.now())
    )
