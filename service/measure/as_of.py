"""Traces as they were known at an earlier moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from service.measure.cases import EPOCH, OPEN, SECONDS_PER_DAY, Cases, Codes, some
from service.measure.survival import Flags, Floats
from service.measure.traces import NONE_UNDONE, Traces, Undone, Unnamed, days_since


def known_at(traces: Traces, as_of: datetime) -> Traces:
    """Cut traces back to what was known at `as_of` (aware): the same as `traces.of` on that day.

    Cases and spans that began later are gone, cases that ended later are open again; time that was
    named afterwards has the name that it had then, and an end that turned out to be none is one
    still. The rows that stay keep their order. What a case's tier or unit was called earlier is not
    in the traces: both stay as they are known now. A case that nobody observed up to its own end
    counts as observed until then. ValueError for a moment after the traces' own.
    """
    cases, undone, unnamed = traces.cases, traces.undone, traces.unnamed
    if as_of > cases.as_of:
        raise ValueError(f"traces as of {cases.as_of} do not say what was known at {as_of}")
    started = np.rint(traces.started_days * SECONDS_PER_DAY * 1e6) / 1e6
    now = (as_of - EPOCH).total_seconds()
    kept = np.flatnonzero(started <= now)
    until_now = days_since(started, np.full(started.size, now))
    horizon = until_now[kept]
    then = (undone.end_days <= until_now[undone.case]) & (
        until_now[undone.case] < undone.until_days
    )
    duration, outcome = cases.duration_days.copy(), cases.outcome.copy()
    duration[undone.case[then]] = undone.end_days[then]
    outcome[undone.case[then]] = undone.outcome[then]
    ended = outcome[kept] != OPEN
    reopened = ended & (duration[kept] > horizon)
    tier, tiers = _occurring(cases.tier[kept], cases.tiers)
    cohort, cohorts = _occurring(cases.cohort[kept], cases.cohorts)
    in_unit, in_units = _units(cases, kept)
    known = Cases(
        as_of=as_of,
        duration_days=np.minimum(duration[kept], horizon),
        followed_days=np.minimum(cases.followed_days[kept], horizon),
        outcome=np.where(reopened, OPEN, outcome[kept]),
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
    spans = known_spans(traces, until_now, undone.of(then))
    case = np.searchsorted(kept, spans.case)
    is_last = np.diff(case, append=-1) != 0
    end = np.where(is_last, known.duration_days[case], np.append(spans.begin_days[1:], 0.0))
    stage, stages = _occurring(spans.stage, spans.stages)
    holder, holders = _occurring(spans.holder, spans.holders)
    unit, units = _occurring(traces.unit[kept], traces.units)
    seemed_over = np.full(started.size, np.inf)
    seemed_over[undone.case[then]] = undone.end_days[then]
    settled = unnamed.of(
        (unnamed.until_days <= until_now[unnamed.case])
        & (unnamed.begin_days < seemed_over[unnamed.case])
    )
    over = undone.of(undone.until_days <= until_now[undone.case])
    return replace(
        traces,
        cases=known,
        started_days=traces.started_days[kept],
        unit=unit,
        units=units,
        case=case,
        begin_days=spans.begin_days,
        end_days=np.minimum(end, known.duration_days[case]),
        stage=stage,
        holder=holder,
        working=spans.working,
        rework=spans.rework,
        stages=stages,
        holders=holders,
        unnamed=_renamed(replace(settled, case=np.searchsorted(kept, settled.case))),
        undone=replace(over, case=np.searchsorted(kept, over.case)),
    )


@dataclass(frozen=True)
class KnownSpans:
    """Spans as they were known, in columns as those of `Traces`; they end where the next begins."""

    case: Codes
    begin_days: Floats
    stage: Codes
    holder: Codes
    working: Flags
    rework: Flags
    stages: tuple[str, ...]
    holders: tuple[str, ...]


def known_spans(traces: Traces, age_days: Floats, ended: Undone = NONE_UNDONE) -> KnownSpans:
    """The spans that were known when each case had this age, by the names that they had then.

    `ended` are the cases that seemed to have ended by then. Ages below 0: it has not begun.
    """
    unnamed = traces.unnamed
    most = np.full(traces.cases.size, traces.spans)
    most[ended.case] = ended.after
    age = age_days[unnamed.case]
    now = (unnamed.begin_days <= age) & (age < unnamed.until_days)
    now &= most[unnamed.case] == traces.spans
    then = unnamed.of(now)
    most[then.case] = then.after
    first = np.searchsorted(traces.case, np.arange(traces.cases.size))
    place = np.arange(traces.spans) - first[traces.case]
    kept = (traces.begin_days <= age_days[traces.case]) & (place < most[traces.case])
    if not then.case.size:
        return KnownSpans(
            case=traces.case[kept],
            begin_days=traces.begin_days[kept],
            stage=traces.stage[kept],
            holder=traces.holder[kept],
            working=traces.working[kept],
            rework=traces.rework[kept],
            stages=traces.stages,
            holders=traces.holders,
        )
    stage, then_stage, stages = _in_one(traces.stage, traces.stages, then.stage, then.stages)
    holder, then_holder, holders = _in_one(traces.holder, traces.holders, then.holder, then.holders)
    # Where a case already was on that clock, no span begins.
    before = np.maximum(first[then.case] + then.after - 1, 0)
    begins = (
        (then.after == 0)
        | (stage[before] != then_stage)
        | (holder[before] != then_holder)
        | traces.working[before]
        | (traces.rework[before] != then.rework)
    )
    case = np.concatenate([traces.case[kept], then.case[begins]])
    order = np.argsort(case, kind="stable")
    waiting = np.zeros(int(begins.sum()), dtype=np.bool_)
    return KnownSpans(
        case=case[order],
        begin_days=np.concatenate([traces.begin_days[kept], then.begin_days[begins]])[order],
        stage=np.concatenate([stage[kept], then_stage[begins]])[order],
        holder=np.concatenate([holder[kept], then_holder[begins]])[order],
        working=np.concatenate([traces.working[kept], waiting])[order],
        rework=np.concatenate([traces.rework[kept], then.rework[begins]])[order],
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


def _in_one(
    codes: Codes, names: Sequence[str], others: Codes, other_names: Sequence[str]
) -> tuple[Codes, Codes, tuple[str, ...]]:
    """Codes of two lists of names as codes of one, in alphabetical order."""
    both = tuple(sorted({*names, *other_names}))
    place = {name: code for code, name in enumerate(both)}
    first, second = (
        np.array([place[name] for name in some], dtype=np.int64) for some in (names, other_names)
    )
    return first[codes], second[others], both


def _renamed(unnamed: Unnamed) -> Unnamed:
    stage, stages = _occurring(unnamed.stage, unnamed.stages)
    holder, holders = _occurring(unnamed.holder, unnamed.holders)
    return replace(unnamed, stage=stage, stages=stages, holder=holder, holders=holders)


def _occurring(codes: Codes, names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Codes for the names that occur, still in alphabetical order."""
    there = np.bincount(codes, minlength=len(names)) > 0
    places = np.cumsum(there) - 1
    kept = tuple(name for name, occurs in zip(names, there, strict=True) if occurs)
    recoded: Codes = places[codes]
    return recoded, kept
