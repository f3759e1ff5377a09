"""What the sample organisation looks back on: the years before its intake, and those with it.

The effect of the intake is known, because it is put in here: every stay of a use case takes
`EFFECT` of the time that it took before, in every tier alike. So is that of one pattern of the
library: what is left when a use case takes it up takes `PATTERN_EFFECT` of its time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from demo.people import CERTIFIED, ORGANISATION, Cast
from demo.playing import at_work, lived
from demo.ways import Act, Way
from service.domain.case import Case
from service.domain.cohort import INTAKE
from service.domain.lifecycle import begin
from service.domain.tiering import Tier
from service.domain.trace import TracedCase, steps
from service.intake.pathways import pathways

EFFECT = 0.75
"""Time with the intake over time before it."""
PATTERN_EFFECT = 0.8
TAKES_IT = 0.35
"""The share that would take that pattern, if they get there."""
TAKEN_AFTER = timedelta(days=15)
"""On average, after handing in."""
BASELINE = "before (sample)"
"""The cohort of the years before."""
YEARS = timedelta(days=730)
"""Before the intake, and again with it."""
LIVE_FOR = timedelta(days=35)
"""The latest use cases are live ones; nothing of the history starts in these days."""
TIERS = {Tier.LOW: 0.3, Tier.MEDIUM: 0.45, Tier.HIGH: 0.25}
PACE = 0.3
"""How much use cases differ: the standard deviation of the logarithm of their pace."""
UNITS = ("Claims", "Underwriting", "Customer service", "Finance", "People", "IT operations")
SEED = 15
"""One whose cases come out near what was put in: this shows a known effect, it does not test."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many cases."""

    before: int = 480
    with_intake: int = 520


def unit(name: str) -> str:
    """A business unit, as the sample organisation calls it."""
    return f"{ORGANISATION}: {name}"


def before_the_intake(cast: Cast, at: datetime, size: Size) -> list[Case]:
    """The years before: when each case began and ended; nobody wrote down on whose clock it was."""
    rng = np.random.default_rng([SEED, 0])
    start, cases = at - 2 * YEARS, []
    for number in range(size.before):
        name, began = f"sample-before-{number + 1:03}", start + rng.random() * YEARS
        traced = _traced(rng, cast, name, began, until=at, factor=1.0)
        cases.append(replace(traced.case, cohort=BASELINE))
    return cases


def with_the_intake(cast: Cast, at: datetime, size: Size) -> list[TracedCase]:
    """The years with it, with the steps of every case."""
    rng = np.random.default_rng([SEED, 1])
    start, cases = at - YEARS, []
    for number in range(size.with_intake):
        name, began = f"sample-{number + 1:03}", start + rng.random() * (YEARS - LIVE_FOR)
        taken = taken_after(number)
        cases.append(_traced(rng, cast, name, began, until=at, factor=EFFECT, taken=taken))
    return cases


def taken_after(number: int) -> timedelta | None:
    """After how long a use case of the intake takes the pattern that has an effect, if it gets
    there; None if it would not. Drawn without a look at how long it takes."""
    rng = np.random.default_rng([SEED, 4, number])
    return TAKEN_AFTER * rng.exponential() if rng.random() < TAKES_IT else None


def _with_pattern(acts: Iterator[Act], taken: timedelta | None) -> Iterator[Act]:
    """The same acts, those after taking the pattern sooner."""
    clock = timedelta(0)
    for act in acts:
        before = act.after if taken is None else min(max(taken - clock, timedelta(0)), act.after)
        clock += act.after
        yield replace(act, after=before + PATTERN_EFFECT * (act.after - before))


def _traced(
    rng: np.random.Generator,
    cast: Cast,
    case_id: str,
    started_at: datetime,
    *,
    until: datetime,
    factor: float,
    taken: timedelta | None = None,
) -> TracedCase:
    tier = list(TIERS)[int(rng.choice(len(TIERS), p=list(TIERS.values())))]
    owner = list(cast.builders.values())[int(rng.integers(len(cast.builders)))]
    pace = float(np.exp(PACE * rng.normal()))
    pathway = pathways()[tier]
    acts = (act.later(factor) for act in Way(rng, cast, pathway, owner, pace=pace).whole())
    begun = begin(case_id, pathway, (owner.id,), owner.id, at_work(started_at))
    log, standing = list(begun.transitions), begun.standing
    for played in lived(
        standing, _with_pattern(acts, taken), until=until, certifications=CERTIFIED
    ):
        log += played.transitions
        standing = played.standing
    case = Case(
        case_id=case_id,
        cohort=INTAKE,
        tier=tier.value,
        business_unit=unit(UNITS[int(rng.integers(len(UNITS)))]),
        started_at=log[0].at,
        ended_at=standing.at if standing.ended else None,
        outcome=standing.outcome,
    )
    return TracedCase(case, steps(log))
