"""Simulated cases with their spans, for what is forecast from them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from service.measure.cases import (
    DECLINED,
    EPOCH,
    PRODUCTION,
    SECONDS_PER_DAY,
    WITHDRAWN,
    Cases,
    Codes,
)
from service.measure.survival import Floats
from service.measure.traces import Traces, coded

YEARS = 3.0
FIRST_DAY = datetime(2022, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2040, 1, 1, tzinfo=UTC)
TIERS = ("high", "low", "medium")


@dataclass(frozen=True, slots=True)
class Piece:
    """One span of a pathway: where, its median days, and how many cases go through it."""

    stage: str
    holder: str
    working: bool
    median: float
    share: float = 1.0
    rework: bool = False
    declined: float = 0.0
    withdrawn: float = 0.0


def _gate(stage: str, holder: str, wait: float, declined: float) -> tuple[Piece, ...]:
    return (
        Piece(stage, holder, False, wait),
        Piece(stage, "builder", False, 2.0, share=0.3, rework=True),
        Piece(stage, holder, True, wait / 4.0, declined=declined),
    )


LOW = (Piece("build", "builder", True, 15.0, withdrawn=0.1),)
MEDIUM = (
    *_gate("triage", "enablement", 2.0, 0.04),
    Piece("build", "builder", True, 14.0, withdrawn=0.06),
    *_gate("evaluate", "enablement", 4.0, 0.04),
    Piece("build", "builder", True, 5.0, share=0.2, rework=True),
    Piece("evaluate", "enablement", False, 3.0, share=0.2, rework=True),
    Piece("launch", "builder", True, 3.0),
)
HIGH = (
    *_gate("triage", "enablement", 2.0, 0.04),
    *_gate("risk", "risk", 8.0, 0.08),
    Piece("build", "builder", True, 20.0, withdrawn=0.06),
    *_gate("evaluate", "enablement", 7.0, 0.04),
    Piece("build", "builder", True, 7.0, share=0.25, rework=True),
    Piece("evaluate", "enablement", False, 5.0, share=0.25, rework=True),
    Piece("launch", "builder", True, 5.0),
)
PATHWAYS = (HIGH, LOW, MEDIUM)


def simulate(
    rng: np.random.Generator, cases: int, *, frailty: float = 0.4, drift: float = 1.0
) -> Traces:
    """So many cases that start evenly over `YEARS`, all followed to their end.

    Stays are lognormal (sigma 0.8), times a factor of each case (sigma `frailty`), times `drift`
    for each year that its start lies after the first day.
    """
    tier = rng.integers(len(TIERS), size=cases)
    # Whole seconds, as a clock would have them.
    started = np.sort(np.rint(rng.uniform(0.0, YEARS * 365.0, cases) * SECONDS_PER_DAY))
    pace = np.exp(frailty * rng.normal(size=cases)) * drift ** (started / SECONDS_PER_DAY / 365.0)
    parts: list[tuple[Codes, int, Piece, Floats]] = []
    total, outcome = np.zeros(cases), np.full(cases, PRODUCTION)
    for code, pathway in enumerate(PATHWAYS):
        alive = tier == code
        skipped = np.zeros(cases, dtype=np.bool_)
        for place, piece in enumerate(pathway):
            if piece.rework and piece.holder == "builder":
                skipped = rng.random(cases) >= piece.share
            passing = np.flatnonzero(alive & ~(skipped & piece.rework))
            days = piece.median * np.exp(0.8 * rng.normal(size=passing.size)) * pace[passing]
            fate = rng.random(passing.size)
            gone = fate < piece.declined + piece.withdrawn
            early = gone & (fate >= piece.declined)
            days = np.where(early, days * rng.random(passing.size), days)
            days = np.rint(days * SECONDS_PER_DAY) / SECONDS_PER_DAY
            parts.append((passing, place, piece, days))
            total[passing] += days
            outcome[passing[gone]] = np.where(early[gone], WITHDRAWN, DECLINED)
            alive[passing[gone]] = False
    return _traces(tier, started, total, outcome, parts)


def slower_from(traces: Traces, day: datetime, factor: float) -> Traces:
    """The same cases, with everything that comes after a day taking `factor` times as long.

    Also what is left on that day of spans that have begun.
    """
    started, cases = traces.started_days, traces.cases
    change = np.maximum((day - EPOCH).total_seconds() / SECONDS_PER_DAY - started, 0.0)
    micro = 1e6 * SECONDS_PER_DAY

    def later(days: Floats, of: Codes) -> Floats:
        beyond = np.maximum(days - change[of], 0.0)
        stretched: Floats = np.rint((days + beyond * (factor - 1.0)) * micro) / micro
        return stretched

    return replace(
        traces,
        cases=replace(cases, duration_days=later(cases.duration_days, np.arange(cases.size))),
        begin_days=later(traces.begin_days, traces.case),
        end_days=later(traces.end_days, traces.case),
    )


def _traces(
    tier: Codes,
    started: Floats,
    total: Floats,
    outcome: Codes,
    parts: list[tuple[Codes, int, Piece, Floats]],
) -> Traces:
    case = np.concatenate([rows for rows, _, _, _ in parts])
    order = np.lexsort((np.concatenate([np.full(r.size, p) for r, p, _, _ in parts]), case))
    case = case[order]
    days = np.concatenate([length for _, _, _, length in parts])[order]
    stage, stages = coded([piece.stage for rows, _, piece, _ in parts for _ in rows])
    holder, holders = coded([piece.holder for rows, _, piece, _ in parts for _ in rows])
    ends = np.cumsum(days)
    is_first = np.diff(case, prepend=-1) != 0
    offset = (ends - days)[is_first]
    micro = 1e6 * SECONDS_PER_DAY
    end = np.rint((ends - offset[case]) * micro) / micro
    begin = np.where(is_first, 0.0, np.append(0.0, end[:-1]))
    is_last = np.diff(case, append=tier.size) != 0
    duration = end[is_last]
    begun = (FIRST_DAY - EPOCH).total_seconds() + started
    followed = np.rint(((LAST_DAY - EPOCH).total_seconds() - begun) * 1e6) / micro
    if not np.all(duration < followed):
        raise ValueError("a simulated case outlived the simulation")
    return Traces(
        cases=Cases(
            as_of=LAST_DAY,
            duration_days=duration,
            followed_days=followed,
            outcome=outcome,
            cohort=np.zeros(tier.size, dtype=np.int64),
            tier=tier,
            cohorts=("intake",),
            tiers=TIERS,
            started_later=0,
        ),
        started_days=begun / SECONDS_PER_DAY,
        unit=np.zeros(tier.size, dtype=np.int64),
        units=("Unit",),
        case=case,
        begin_days=begin,
        end_days=end,
        stage=stage[order],
        holder=holder[order],
        working=np.array([p.working for r, _, p, _ in parts for _ in r], dtype=np.bool_)[order],
        rework=np.array([p.rework for r, _, p, _ in parts for _ in r], dtype=np.bool_)[order],
        stages=stages,
        holders=holders,
    )
