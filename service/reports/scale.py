"""From production to scale: how long use cases take to each milestone, and what stands in the
way."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

import numpy as np
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.cohort import Cohort
from service.domain.naming import listed
from service.errors import BadInput
from service.facts.as_of import Moment
from service.facts.live import LiveCase, live_cases_of
from service.intake.use_cases import keys_of
from service.measure.cases import OUTCOMES, Group
from service.measure.curves import curve
from service.measure.figures import number
from service.measure.survival import LifeTable, quantile, restricted_mean
from service.reach.milestones import (
    SAID,
    Count,
    Milestone,
    Obstacle,
    most_users,
    standing,
    stated_seen,
)
from service.reach.store import InTheWay, counts_of, in_the_way_of
from service.reports.comparison import CurveFigures
from service.reports.question import Asking, Grouping
from service.reports.report import (
    Example,
    Figures,
    Instant,
    Quantile,
    Registered,
    Report,
    Row,
    quantile_of,
)
from service.value.investment_cases import stated_milestones
from service.value.terms import StatedMilestone

FIRST_YEAR = 365.0
"""Days over which the restricted mean is taken, if nobody says."""
MOST_NAMED = 50
"""Use cases that a part of the report names; their number is of all."""


class Own(StrEnum):
    """The milestone of a use case's own case: the most users that it states."""

    FIRST = "own_first"
    """As it was stated first: a case that is made smaller later is held against this one."""
    LATEST = "own_latest"
    """As the newest version has it."""


NAMES: Mapping[Milestone | Own, str] = {
    **{one: SAID[one] for one in Milestone},
    Own.FIRST: "its own milestone",
    Own.LATEST: "its own as of now",
}
"""Milestones as sentences and pictures call them."""
REACHED, STILL_OPEN = OUTCOMES.index(Outcome.PRODUCTION), OUTCOMES.index(Outcome.OPEN)


class MilestoneFigures(Figures):
    """The way of a group to a milestone. `reached`, `open` and `not_counted` add up to `cases`."""

    milestone: Milestone | Own = Field(
        description="own_first, own_latest: the most users that its own case states, as it was "
        "stated first and as the newest version has it; there if any case states one"
    )
    cases: int = Field(description="In production; of its own case, those whose case states one")
    reached: int
    open: int = Field(description="Counted, and not there by the last count")
    not_counted: int = Field(description="Nobody has counted what the milestone asks for")
    p50: Quantile = Field(description="Days from going live until half were there (Kaplan-Meier)")
    p85: Quantile
    mean_days: float | None = Field(
        description="Restricted mean: days on the way, out of the first `tau_days`"
    )
    mean_se: float | None
    tau_days: float | None = Field(description="No longer than anybody was followed")


class ScaleGroup(Figures):
    """The milestones of all use cases in production, or of those of a tier or a unit."""

    name: str
    milestones: tuple[MilestoneFigures, ...]


class HolderFigures(Figures):
    """Use cases with a milestone ahead, by whose clock their rollout is on. `holder` is null where
    nobody said."""

    holder: str | None
    cases: int


class ObstacleFigures(Figures):
    """What stands in the way of use cases with a milestone ahead, the most frequent first."""

    obstacle: Obstacle
    cases: int
    named: tuple[str, ...] = Field(description=f"Their keys, at most {MOST_NAMED}")


class ScaleReport(Report):
    """Time from production to each milestone of reach: 100 users, 1,000 users, a second unit, and
    the one that a use case's own case states.

    A milestone counts as reached on the day of the first count at or above it, which is the latest
    that it can have been. A use case that is counted and not there is censored at its last count;
    one that nobody has counted says nothing about time, and is told apart.
    """

    report: Literal["scale"] = "scale"
    as_of: Instant
    cohort: str
    sentence: str
    in_production: int
    groups: tuple[ScaleGroup, ...] = Field(description="All of them first")
    curves: tuple[CurveFigures, ...] = Field(
        description="The part of those counted that is not there, by days since going live"
    )
    holders: tuple[HolderFigures, ...]
    obstacles: tuple[ObstacleFigures, ...]
    unused: int = Field(description="No user at the latest count")
    unused_named: tuple[str, ...] = Field(description=f"Their keys, at most {MOST_NAMED}")
    uncounted: int = Field(description="In production, and nobody has counted anything")
    uncounted_named: tuple[str, ...] = Field(description=f"Their keys, at most {MOST_NAMED}")
    notes: tuple[str, ...]


async def scale(
    session: AsyncSession,
    moment: Moment,
    cohort: Cohort,
    *,
    by: Grouping = Grouping.NOTHING,
    tau_days: float | None = None,
) -> ScaleReport:
    """The way of a cohort's use cases from production to scale, as known at the moment.

    `BadInput` for a grouping that there is not.
    """
    if by not in {Grouping.NOTHING, *GROUPINGS}:
        raise BadInput("by", f"one of {', '.join(GROUPINGS)}")
    cases = [one for one in await live_cases_of(session, cohort, moment) if one.production_at]
    ids = [one.use_case_id for one in cases]
    counts = await counts_of(session, ids, moment.at)
    in_the_way = await in_the_way_of(session, ids, moment.at)
    keys = await keys_of(session, ids)
    stated = await stated_milestones(session, ids, at=moment.at)
    ways = _Ways(
        counts,
        {
            Own.FIRST: _most({one: case.first for one, case in stated.items()}),
            Own.LATEST: _most({one: case.latest for one, case in stated.items()}),
        },
    )
    whole = _group("all", cases, ways, tau_days)
    groups = [whole]
    if by is not Grouping.NOTHING:
        parts: defaultdict[str, list[LiveCase]] = defaultdict(list)
        for one in cases:
            parts[one.tier if by is Grouping.TIER else one.unit].append(one)
        groups += [_group(name, parts[name], ways, tau_days) for name in sorted(parts)]
    ahead = [
        one
        for one in ids
        if any(standing(each, counts.get(one, ())).reached is None for each in Milestone)
    ]
    unused = [one for one in ids if one in counts and counts[one][-1].users == 0]
    uncounted = [one for one in ids if one not in counts]
    said = _sentence(whole.milestones, len(unused), len(uncounted))
    return ScaleReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=said,
        in_production=len(ids),
        groups=tuple(groups),
        curves=_curves(cases, ways),
        holders=_holders(ahead, in_the_way),
        obstacles=_obstacles(ahead, in_the_way, keys),
        unused=len(unused),
        unused_named=_named(unused, keys),
        uncounted=len(uncounted),
        uncounted_named=_named(uncounted, keys),
        notes=tuple(_notes(whole.milestones, _named(unused, keys), len(uncounted))),
    )


@dataclass(frozen=True, slots=True)
class _Ways:
    """What is known of the ways of use cases: their counts, and the users that their own cases
    state, by id."""

    counts: Mapping[str, Sequence[Count]]
    own: Mapping[Own, Mapping[str, StatedMilestone]]

    @property
    def milestones(self) -> tuple[Milestone | Own, ...]:
        """The common ones, and where some cases stated users first, those of their own."""
        return (*Milestone, *Own) if self.own[Own.FIRST] else tuple(Milestone)

    def asked(self, milestone: Milestone | Own, cases: Sequence[LiveCase]) -> list[LiveCase]:
        """The cases that have this milestone."""
        if isinstance(milestone, Milestone):
            return list(cases)
        return [one for one in cases if one.use_case_id in self.own[milestone]]

    def to(self, milestone: Milestone | Own, cases: Sequence[LiveCase]) -> tuple[Group, int]:
        """The way of those that somebody counted to a milestone; and how many nobody counted."""
        days: list[float] = []
        there: list[bool] = []
        asked = self.asked(milestone, cases)
        for one in asked:
            reached, below = self._seen(milestone, one.use_case_id)
            until = reached or below
            if one.production_at is not None and until is not None:
                days.append(float((until - one.production_at.date()).days))
                there.append(reached is not None)
        duration = np.array(days, dtype=np.float64)
        outcome = np.where(np.array(there, dtype=np.bool_), REACHED, STILL_OPEN).astype(np.int64)
        return Group(duration, duration, outcome), len(asked) - len(days)

    def _seen(
        self, milestone: Milestone | Own, use_case_id: str
    ) -> tuple[date | None, date | None]:
        counts = self.counts.get(use_case_id, ())
        if isinstance(milestone, Milestone):
            found = standing(milestone, counts)
            return found.reached, found.below
        return stated_seen(self.own[milestone][use_case_id], counts)


def _most(stated: Mapping[str, Sequence[StatedMilestone]]) -> dict[str, StatedMilestone]:
    """Of each case the milestone with the most users; nothing of those that state no users."""
    most = {use_case_id: most_users(milestones) for use_case_id, milestones in stated.items()}
    return {use_case_id: one for use_case_id, one in most.items() if one is not None}


def _group(name: str, cases: Sequence[LiveCase], ways: _Ways, tau_days: float | None) -> ScaleGroup:
    return ScaleGroup(
        name=name,
        milestones=tuple(_figures(each, cases, ways, tau_days) for each in ways.milestones),
    )


def _figures(
    milestone: Milestone | Own, cases: Sequence[LiveCase], ways: _Ways, asked: float | None
) -> MilestoneFigures:
    found, not_counted = ways.to(milestone, cases)
    having = len(ways.asked(milestone, cases))
    table = found.table
    reached = int(found.in_production.sum())
    tau = min(asked or FIRST_YEAR, table.last_day) or None
    mean = None if tau is None else restricted_mean(table, tau)
    return MilestoneFigures(
        milestone=milestone,
        cases=having,
        reached=reached,
        open=having - not_counted - reached,
        not_counted=not_counted,
        p50=_quantile(table, 0.5),
        p85=_quantile(table, 0.85),
        mean_days=None if mean is None else number(mean.days),
        mean_se=None if mean is None else number(mean.se),
        tau_days=tau,
    )


def _quantile(table: LifeTable, part: float) -> Quantile:
    """Not said where nothing bounds it: where the last one that was followed is there, the curve
    ends at 0, however few there were."""
    found = quantile(table, part)
    if found.low is None and found.high is None:
        return Quantile(days=None, low=None, high=None)
    return quantile_of(found)


def _curves(cases: Sequence[LiveCase], ways: _Ways) -> tuple[CurveFigures, ...]:
    drawn = [each for each in ways.milestones if each is not Own.LATEST]
    groups = {NAMES[each]: ways.to(each, cases)[0] for each in drawn}
    some = {name: group for name, group in groups.items() if group.size}
    until = max((group.table.last_day for group in some.values()), default=0.0)
    if not until:
        return ()
    return tuple(CurveFigures.of(curve(name, group, until)) for name, group in some.items())


def _holders(ahead: Sequence[str], in_the_way: Mapping[str, InTheWay]) -> tuple[HolderFigures, ...]:
    counted = Counter(in_the_way[one].holder if one in in_the_way else None for one in ahead)
    ranked = sorted(counted.items(), key=lambda one: (one[0] is None, -one[1], one[0] or ""))
    return tuple(HolderFigures(holder=holder, cases=cases) for holder, cases in ranked)


def _obstacles(
    ahead: Sequence[str], in_the_way: Mapping[str, InTheWay], keys: Mapping[str, str]
) -> tuple[ObstacleFigures, ...]:
    found: defaultdict[Obstacle, list[str]] = defaultdict(list)
    for one in ahead:
        if one in in_the_way:
            found[in_the_way[one].kind].append(one)
    ranked = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return tuple(
        ObstacleFigures(obstacle=kind, cases=len(some), named=_named(some, keys))
        for kind, some in ranked
    )


def _named(ids: Sequence[str], keys: Mapping[str, str]) -> tuple[str, ...]:
    named = sorted((keys[one] for one in ids), key=lambda key: (len(key), key))
    return tuple(named[:MOST_NAMED])


def _sentence(found: Sequence[MilestoneFigures], unused: int, uncounted: int) -> str:
    first = found[0]
    if not first.cases:
        return "No use case is in production."
    of = "the 1 use case" if first.cases == 1 else f"{first.cases:,} use cases"
    parts = [
        f"{one.reached:,} reached {NAMES[one.milestone]}"
        for one in found
        if isinstance(one.milestone, Milestone)
    ]
    own = [
        f"; of {one.cases:,} with a number of users in their own case {one.reached:,} reached it"
        for one in found
        if one.milestone is Own.FIRST
    ]
    half = first.p50.days
    took = "" if half is None else f"; half of those counted had 100 users by day {half:,.0f}"
    silent = [
        *([f"{unused:,} {_are(unused)} used by nobody"] if unused else []),
        *([f"{uncounted:,} {_are(uncounted)} counted by nobody"] if uncounted else []),
    ]
    ends = f". {' and '.join(silent)}" if silent else ""
    return f"Of {of} in production {', '.join(parts)}{took}{''.join(own)}{ends}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _notes(
    found: Sequence[MilestoneFigures], unused: Sequence[str], uncounted: int
) -> Iterator[str]:
    if found[0].cases > uncounted:
        yield (
            "A milestone counts on the day of the first count at or above it. It may have been "
            "reached earlier, since the count before: times are upper bounds, and the closer the "
            "counts, the closer they are."
        )
    if any(one.milestone is Own.FIRST for one in found):
        yield (
            "Its own milestone is the most users that its investment case states, in the version "
            "that stated some first; as of now, in the newest. Those whose case states none are "
            "not in it."
        )
    if unused:
        yield f"In production and used by nobody at the latest count: {listed(unused)}."
    if uncounted:
        yield (
            "Those that nobody has counted are in no time and no curve. If they are the ones that "
            "go badly, the times are too short."
        )


GROUPINGS = (Grouping.TIER, Grouping.UNIT)


async def _read(asking: Asking) -> ScaleReport:
    asked = asking.question
    return await scale(
        asking.session, asking.moment, asking.cohort, by=asked.by, tau_days=asked.tau_days
    )


def _rows(found: ScaleReport) -> Iterator[Row]:
    for group in found.groups:
        for one in group.milestones:
            given = one.model_dump(exclude={"p50", "p85"})
            yield {
                "group": group.name,
                **given,
                "p50_days": one.p50.days,
                "p50_low_days": one.p50.low,
                "p50_high_days": one.p50.high,
                "p85_days": one.p85.days,
            }


_100: Example = {
    "milestone": "100_users",
    "cases": 14,
    "reached": 6,
    "open": 5,
    "not_counted": 3,
    "p50": {"days": 96.0, "low": 61.0, "high": None},
    "p85": {"days": None, "low": 96.0, "high": None},
    "mean_days": 121.4,
    "mean_se": 19.2,
    "tau_days": 210.0,
}
EXAMPLE: Example = {
    "report": "scale",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "Of 14 use cases in production 6 reached 100 users, 1 reached 1,000 users, 2 "
    "reached a second unit; half of those counted had 100 users by day 96. 1 is used by nobody "
    "and 3 are counted by nobody.",
    "in_production": 14,
    "groups": [{"name": "all", "milestones": [_100]}],
    "curves": [
        {
            "cohort": "100 users",
            "cases": 11,
            "points": [[0.0, 1.0, 1.0, 1.0], [96.0, 0.48, 0.2, 0.75]],
            "at_risk": [[0.0, 11], [100.0, 4]],
        }
    ],
    "holders": [{"holder": "enablement", "cases": 6}, {"holder": None, "cases": 7}],
    "obstacles": [{"obstacle": "access", "cases": 4, "named": ["UC-12", "UC-17"]}],
    "unused": 1,
    "unused_named": ["UC-17"],
    "uncounted": 3,
    "uncounted_named": ["UC-21", "UC-25", "UC-30"],
    "notes": ["In production and used by nobody at the latest count: UC-17."],
}
REPORT = Registered(
    name="scale",
    asks="How long is the way from production to scale, and what stands in it?",
    result=ScaleReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
    groupings=GROUPINGS,
)
