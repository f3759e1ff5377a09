"""Cases with their steps, and their counts, for tests of the stages and the flow."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.domain.standing import Mode
from service.domain.tally import LIVE, Tally, tally
from service.domain.trace import Step, TracedCase, steps
from service.facts.counts.read import DayLine, Lines
from tests.domain.lives import Life

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

CLOCKS = {
    "queue": (ENABLEMENT, Mode.WAITING),
    "work": (ENABLEMENT, Mode.WORKING),
    "asked": (BUILDER, Mode.WAITING),
    "build": (BUILDER, Mode.WORKING),
    "parked": (PARKED, Mode.WAITING),
    "legal": ("legal", Mode.WAITING),
    "review": ("legal", Mode.WORKING),
}


def walked(
    walk: str, outcome: Outcome = Outcome.OPEN, *, began: float = 0.0, tier: str = "low"
) -> TracedCase:
    """A case from its walk: "triage queue 2, triage work 1, build build 5" (stage, clock, days).

    It ends after the last stretch, or is in the middle of it when it is open.
    """
    at = start = START + began * DAY
    found: list[Step] = []
    for stretch in walk.split(", "):
        stage, clock, days = stretch.split()
        found.append(Step(at, stage, *CLOCKS[clock]))
        at += float(days) * DAY
    ended = None if outcome is Outcome.OPEN else at
    case = Case(walk, INTAKE, tier, "Sales", start, ended, outcome)
    return TracedCase(case, tuple(found))


def lived(life: Life, until: datetime, number: int) -> TracedCase:
    """A random life as a case, as known at a moment."""
    log = [step for step in life.log if step.at <= until]
    outcome = life.standing.outcome if len(log) == len(life.log) else Outcome.OPEN
    case = Case(
        case_id=str(number),
        cohort=INTAKE,
        tier=log[-1].tier.value,
        business_unit="Sales",
        started_at=log[0].at,
        ended_at=log[-1].at if outcome is not Outcome.OPEN else None,
        outcome=outcome,
    )
    return TracedCase(case, steps(log))


def counted(cases: Sequence[TracedCase]) -> Lines:
    """The counts of these cases."""
    counts = Tally()
    for item in cases:
        tally(counts, LIVE, item.case, item.steps)
    by_line: dict[tuple[object, ...], list[tuple[int, int, int]]] = {}
    for line, count in counts.changes().items():
        key = (line.kind, line.source, line.cohort, line.tier, line.stage, line.holder)
        more = (line.working, line.rework, line.detail)
        by_line.setdefault((*key, *more), []).append((line.day, count.n, count.microseconds))
    return Lines(
        tuple(
            DayLine(*key, *(np.array(column) for column in zip(*sorted(days), strict=True)))  # type: ignore[arg-type]
            for key, days in by_line.items()
        )
    )
