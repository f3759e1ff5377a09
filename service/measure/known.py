"""Traces as they were known at an earlier moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from service.measure.cases import EPOCH, OPEN, SECONDS_PER_DAY, Cases, Codes, some
from service.measure.traces import Traces


def known_at(traces: Traces, as_of: datetime) -> Traces:
    """Cut traces back to what was known at `as_of` (aware): the same as `traces.of` on that day.

    Cases and spans that began later are gone, cases that ended later are open again. The rows that
    stay keep their order. What a case's tier or unit was called earlier is not in the traces: both
    stay as they are known now. A case that nobody observed up to its own end counts as observed
    until then. ValueError for a moment after the traces' own.
    """
    cases = traces.cases
    if as_of > cases.as_of:
        raise ValueError(f"traces as of {cases.as_of} do not say what was known at {as_of}")
    started = np.rint(traces.started_days * SECONDS_PER_DAY * 1e6) / 1e6
    now = (as_of - EPOCH).total_seconds()
    kept = np.flatnonzero(started <= now)
    until_now = np.rint((now - started) * 1e6) / (1e6 * SECONDS_PER_DAY)
    horizon = until_now[kept]
    ended = cases.outcome[kept] != OPEN
    reopened = ended & (cases.duration_days[kept] > horizon)
    tier, tiers = _occurring(cases.tier[kept], cases.tiers)
    cohort, cohorts = _occurring(cases.cohort[kept], cases.cohorts)
    in_unit, in_units = _units(cases, kept)
    known = Cases(
        as_of=as_of,
        duration_days=np.minimum(cases.duration_days[kept], horizon),
        followed_days=np.minimum(cases.followed_days[kept], horizon),
        outcome=np.where(reopened, OPEN, cases.outcome[kept]),
        cohort=cohort,
        tier=tier,
        cohorts=cohorts,
        tiers=tiers,
        started_later=cases.started_later + int(cases.size - kept.size),
        start_days=some(cases.start_days, kept),
        entry_days=some(cases.entry_days, kept),
        unit=in_unit,
        units=in_units,
        estimate_days=some(cases.estimate_days, kept),
    )
    spans = np.flatnonzero(traces.begin_days <= until_now[traces.case])
    case = np.searchsorted(kept, traces.case[spans])
    stage, stages = _occurring(traces.stage[spans], traces.stages)
    holder, holders = _occurring(traces.holder[spans], traces.holders)
    unit, units = _occurring(traces.unit[kept], traces.units)
    return replace(
        traces,
        cases=known,
        started_days=traces.started_days[kept],
        unit=unit,
        units=units,
        case=case,
        begin_days=traces.begin_days[spans],
        end_days=np.minimum(traces.end_days[spans], known.duration_days[case]),
        stage=stage,
        holder=holder,
        working=traces.working[spans],
        rework=traces.rework[spans],
        stages=stages,
        holders=holders,
    )


def _units(cases: Cases, kept: Codes) -> tuple[Codes | None, tuple[str, ...]]:
    """The units of the cases that are kept; none where none of them is known."""
    if cases.unit is None:
        return None, ()
    unit, units = _occurring(cases.unit[kept] + 1, ("", *cases.units))
    if units[:1] == ("",):
        unit, units = unit - 1, units[1:]
    return (unit, units) if units else (None, ())


def _occurring(codes: Codes, names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Codes for the names that occur, still in alphabetical order."""
    there = np.bincount(codes, minlength=len(names)) > 0
    places = np.cumsum(there) - 1
    kept = tuple(name for name, occurs in zip(names, there, strict=True) if occurs)
    recoded: Codes = places[codes]
    return recoded, kept
