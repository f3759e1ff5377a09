"""Use cases with their promises, in columns, as tests write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import nan

import numpy as np

from service.measure.cases import EPOCH
from service.measure.traces import coded
from service.value.every_use_case import MEASURED, NOT_DUE, UNPROVEN, Against, EveryUseCase
from service.value.evidence import GRADES, NO_GRADE
from service.value.grades import Grade
from service.value.recorded import BENEFITS, NO_BENEFIT, NO_DAY
from service.value.terms import Benefit

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Promised:
    """A use case. `measured` is what of `due` was due in measured windows, None where nobody
    measured; `latest` is how many times the first promise the latest one is. Without `due` nothing
    is due: it is open then, unless `outcome` says otherwise."""

    due: float | None = None
    measured: float | None = None
    delivered: float = 0.0
    error: float = 0.0
    grade: Grade = Grade.A
    yearly: float = 1000.0
    latest: float = 1.0
    unit: str = "Sales"
    tier: str = "low"
    sponsor: str = "Edith"
    benefit: str | None = None
    owners: tuple[str, ...] = ("owner",)
    currency: str = "EUR"
    outcome: str = ""
    stage: str = "build"
    exact: bool = False
    observed: bool = True
    planned: bool = True
    newest: date | None = None
    one_off: float = 10.0
    run: float = 1.0


def every(rows: Sequence[Promised]) -> EveryUseCase:
    """These use cases, numbered from 1."""
    count = len(rows)
    unit, units = coded([row.unit for row in rows])
    sponsor, sponsors = coded([row.sponsor for row in rows])
    tier, tiers = coded([row.tier for row in rows])
    outcome, outcomes = coded(
        [row.outcome or ("open" if row.due is None else "production") for row in rows]
    )
    stage, stages = coded([row.stage for row in rows])
    currency, currencies = coded([row.currency for row in rows])
    owners, owners_of = coded([",".join(row.owners) for row in rows])
    live = [row.due is not None for row in rows]
    has_any = np.array([row.measured is not None for row in rows], dtype=np.bool_)
    delivered = np.array([row.delivered for row in rows], dtype=np.float64)
    error = np.array([row.error for row in rows], dtype=np.float64)
    grade = np.array(
        [NO_GRADE if row.measured is None else GRADES.index(row.grade) for row in rows],
        dtype=np.int64,
    )

    def against(times: Sequence[float]) -> Against:
        factor = np.array(times, dtype=np.float64)
        measured = factor * np.array([row.measured or 0.0 for row in rows])
        of_grade = np.zeros((count, len(GRADES)))
        of_grade[np.arange(count)[has_any], grade[has_any]] = measured[has_any]
        state = np.where(has_any, MEASURED, np.where(live, UNPROVEN, NOT_DUE))
        return Against(
            yearly=factor * np.array([row.yearly for row in rows]),
            state=state,
            due=factor * np.array([row.due or 0.0 for row in rows]),
            measured=measured,
            of_grade=of_grade,
            low=np.where(has_any, delivered - 1.96 * error, nan),
            high=np.where(has_any, delivered + 1.96 * error, nan),
        )

    day = (AT.date() - EPOCH.date()).days
    return EveryUseCase(
        at=AT,
        number=np.arange(1, count + 1),
        id=tuple(f"id-{number}" for number in range(1, count + 1)),
        title=tuple(f"Use case {number}" for number in range(1, count + 1)),
        kpi=("Handling time",) * count,
        unit=unit,
        units=units,
        sponsor=sponsor,
        sponsors=sponsors,
        tier=tier,
        tiers=tiers,
        outcome=outcome,
        outcomes=outcomes,
        stage=stage,
        stages=stages,
        owners=owners,
        owners_of=tuple(tuple(some.split(",")) for some in owners_of),
        currency=currency,
        currencies=currencies,
        benefit=np.array(
            [
                NO_BENEFIT if row.benefit is None else BENEFITS.index(Benefit(row.benefit))
                for row in rows
            ],
            dtype=np.int64,
        ),
        observed=np.array([row.observed for row in rows], dtype=np.bool_),
        planned=np.array([row.planned for row in rows], dtype=np.bool_),
        one_off_cost=np.array([row.one_off for row in rows]),
        yearly_run_cost=np.array([row.run for row in rows]),
        live=np.where(live, day - 200, NO_DAY),
        asked=np.where(live, day - 110, NO_DAY),
        delivered=delivered,
        error=error,
        errors_known=np.ones(count, dtype=np.bool_),
        grade=grade,
        exact=np.array([row.exact for row in rows], dtype=np.bool_),
        newest=np.array(
            [
                NO_DAY
                if row.measured is None
                else day - 10
                if row.newest is None
                else (row.newest - EPOCH.date()).days
                for row in rows
            ],
            dtype=np.int64,
        ),
        first=against([1.0] * count),
        latest=against([row.latest for row in rows]),
    )
